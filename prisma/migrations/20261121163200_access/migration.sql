-- lifecycle: expand
-- Owner: administration.

-- Exceptions to what the roles of one user give: a permission more, or one less.
CREATE TABLE IF NOT EXISTS "user_permissions" (
    "user_id" UUID NOT NULL,
    "permission" TEXT NOT NULL,
    "granted" BOOLEAN NOT NULL,
    "set_by" UUID NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "user_permissions_pkey" PRIMARY KEY ("user_id","permission")
);

-- The end of the audit log, sealed: entries that were cut off at the end are missed.
CREATE TABLE IF NOT EXISTS "audit_head" (
    "id" INTEGER NOT NULL DEFAULT 1,
    "entries" BIGINT NOT NULL,
    "hash" TEXT NOT NULL,
    "seal" TEXT NOT NULL,

    CONSTRAINT "audit_head_pkey" PRIMARY KEY ("id")
);

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_permissions_user_id_fkey' AND conrelid = '"user_permissions"'::regclass) THEN
    ALTER TABLE "user_permissions" ADD CONSTRAINT "user_permissions_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'user_permissions_permission_fkey' AND conrelid = '"user_permissions"'::regclass) THEN
    ALTER TABLE "user_permissions" ADD CONSTRAINT "user_permissions_permission_fkey" FOREIGN KEY ("permission") REFERENCES "permissions"("name") ON DELETE CASCADE ON UPDATE CASCADE;
  END IF;
END $$;

DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'audit_head_singleton_check' AND conrelid = '"audit_head"'::regclass) THEN
    ALTER TABLE "audit_head" ADD CONSTRAINT "audit_head_singleton_check" CHECK ("id" = 1);
  END IF;
END $$;
