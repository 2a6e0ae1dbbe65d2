/* What the operating system says about processors. */
#ifndef FV_CPU_H
#define FV_CPU_H

/* Processors that this process may run on: its affinity mask where there is one. At least 1. */
int fv_cpu_count(void);

/* The processor that the calling thread runs on, -1 where the system does not say. */
int fv_cpu_current(void);

/* Moves the calling thread to another processor than this one, to stay off it, if there is another that it may use. */
void fv_cpu_leave(int cpu);

#endif /* FV_CPU_H */
