package dev.fovea.bench.gpu;

import dev.fovea.bench.study.Findings;
import dev.fovea.bench.study.Job;
import java.util.List;
import java.util.Optional;

/**
 * A job for which a GPU is needed. Where there is none, all its sides are absent.
 *
 * @param job what is timed
 * @param sides those of {@code job}
 * @param missing why there is no GPU, in one line; empty where there is one
 */
record GpuJob(Job job, List<String> sides, Optional<String> missing) implements Job {
    @Override
    public String name() {
        return job.name();
    }

    @Override
    public int estimatedSeconds() {
        return missing.isPresent() ? 0 : job.estimatedSeconds();
    }

    @Override
    public void run(Findings findings) throws Exception {
        if (missing.isEmpty()) {
            job.run(findings);
            return;
        }
        for (String side : sides) {
            findings.absent(side, side.contains(GpuSuite.CUDA) ? missing.get()
                    : "not timed, because there is no GPU to compare with");
        }
    }
}
