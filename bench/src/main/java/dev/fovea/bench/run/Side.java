package dev.fovea.bench.run;

import java.util.ArrayList;
import java.util.List;

/** What a side said of itself. */
public final class Side {
    private String version;
    private String absent;
    private final List<String> settings = new ArrayList<>();

    /** Such as {@code 1.24.1}, or null if it said none. */
    public String version() {
        return version;
    }

    /** Why it is not there, or null if it is. */
    public String absent() {
        return absent;
    }

    /** How it runs, each said once. */
    public List<String> settings() {
        return settings;
    }

    void setVersion(String version) {
        this.version = version;
    }

    void setAbsent(String reason) {
        absent = reason;
    }

    void addSetting(String setting) {
        if (!settings.contains(setting)) {
            settings.add(setting);
        }
    }
}
