// What the kernel knows of this process, under the names that every exporter gives it.
#pragma once

#include "base/metrics_text.hpp"

namespace keyward::app {

/// `process_cpu_seconds_total`, `process_resident_memory_bytes` and so on, from /proc/self. What cannot be
/// read is left out.
void add_process_metrics(MetricsText& text);

}  // namespace keyward::app
