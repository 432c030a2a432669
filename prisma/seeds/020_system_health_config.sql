-- seed: once version=1
-- Thresholds: latency in ms, rates and usage in percent, cacheHitRate worse when lower, slowQueries per hour. The backup
-- location is the one the session offers in `parley.backup_location`, if any. What an operator has set stays.
INSERT INTO system_health_config (id, thresholds, "backupLocation") VALUES (
  1,
  '{"latency":{"warning":500,"critical":1000},"p95Latency":{"warning":800,"critical":1500},"errorRate":{"warning":1,"critical":5},"cacheHitRate":{"warning":70,"critical":50},"slowQueries":{"warning":100,"critical":200},"cpuUsage":{"warning":70,"critical":85},"memoryUsage":{"warning":80,"critical":90}}',
  COALESCE(NULLIF(current_setting('parley.backup_location', true), ''), '/backups/railway')
)
ON CONFLICT (id) DO NOTHING;
