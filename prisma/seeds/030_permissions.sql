-- seed: repeatable version=1
-- The closed list of permissions (protocol, authorisation). Names are stable, descriptions may improve.
INSERT INTO permissions (name, description) VALUES
  ('users.read', 'See accounts, their sign-ins and their state'),
  ('users.write', 'Create, change, suspend and unsuspend accounts'),
  ('users.delete', 'Delete and erase accounts'),
  ('sessions.revoke', 'Sign other people out'),
  ('roles.read', 'See roles, permissions and who holds them'),
  ('roles.write', 'Define roles and grant them'),
  ('conversations.read', 'See conversations, members and positions, without message bodies'),
  ('conversations.moderate', 'Delete conversations and remove members'),
  ('messages.moderate', 'Delete messages of others'),
  ('media.moderate', 'Quarantine and delete media'),
  ('reports.read', 'See reports'),
  ('reports.resolve', 'Resolve and dismiss reports'),
  ('audit.read', 'Read and verify the audit log'),
  ('health.read', 'See health, metrics, samples and alerts'),
  ('health.write', 'Change system health settings and store load-test reports'),
  ('jobs.run', 'Start jobs by hand'),
  ('queues.read', 'See queues and dead letters'),
  ('queues.replay', 'Replay and drop dead letters and notifications'),
  ('notifications.explain', 'See why a device of another user rang or did not'),
  ('webhooks.read', 'See webhook endpoints and deliveries'),
  ('webhooks.write', 'Define webhook endpoints and replay deliveries')
ON CONFLICT (name) DO UPDATE SET description = EXCLUDED.description WHERE permissions.description <> EXCLUDED.description;
