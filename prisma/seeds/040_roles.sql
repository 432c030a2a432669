-- seed: repeatable version=1
-- The built-in roles, with fixed ids. `user` needs no permission; `admin` has all.
INSERT INTO roles (id, name, description, built_in) VALUES
  ('01900000-0000-7000-8000-000000000001', 'user', 'Everyone', true),
  ('01900000-0000-7000-8000-000000000002', 'moderator', 'Keeps conversations civil', true),
  ('01900000-0000-7000-8000-000000000003', 'admin', 'May do everything', true)
ON CONFLICT (id) DO UPDATE SET description = EXCLUDED.description WHERE roles.description <> EXCLUDED.description;

INSERT INTO role_permissions (role_id, permission)
SELECT '01900000-0000-7000-8000-000000000002', name FROM permissions
WHERE name IN ('users.read', 'conversations.read', 'messages.moderate', 'media.moderate', 'reports.read', 'reports.resolve')
ON CONFLICT (role_id, permission) DO NOTHING;

INSERT INTO role_permissions (role_id, permission)
SELECT '01900000-0000-7000-8000-000000000003', name FROM permissions
ON CONFLICT (role_id, permission) DO NOTHING;
