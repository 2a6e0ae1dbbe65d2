/* What the operating system says about processors. */
#ifndef FV_CPU_H
#define FV_CPU_H

/* Processors that this process may run on: its affinity mask where there is one. At least 1. */
int fv_cpu_count(void);

#endif /* FV_CPU_H */
