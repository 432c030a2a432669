-- lifecycle: expand
-- Owner: media.

-- Large uploads come in parts of this many bytes; the id is the store's own, and there is one once parts are asked for.
ALTER TABLE media_objects ADD COLUMN IF NOT EXISTS part_bytes bigint, ADD COLUMN IF NOT EXISTS upload_id text;
