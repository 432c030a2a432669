-- seed: once version=1
-- The first epoch. Later ones come from `parley epoch bump`.
INSERT INTO server_epoch (id, epoch, reason) VALUES (1, gen_random_uuid(), 'installed')
ON CONFLICT (id) DO NOTHING;
