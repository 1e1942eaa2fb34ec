package dumpgen

// The original's schema, as wrangler prints it.
const (
	createAccount = "CREATE TABLE `account` (\n" +
		"\t`id` text PRIMARY KEY NOT NULL,\n" +
		"\t`accountId` text NOT NULL,\n" +
		"\t`providerId` text NOT NULL,\n" +
		"\t`userId` text NOT NULL,\n" +
		"\t`accessToken` text,\n" +
		"\t`refreshToken` text,\n" +
		"\t`idToken` text,\n" +
		"\t`accessTokenExpiresAt` integer,\n" +
		"\t`refreshTokenExpiresAt` integer,\n" +
		"\t`scope` text,\n" +
		"\t`password` text,\n" +
		"\t`createdAt` integer NOT NULL,\n" +
		"\t`updatedAt` integer NOT NULL,\n" +
		"\tFOREIGN KEY (`userId`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE cascade\n" +
		");"

	createAppUser = "CREATE TABLE `app_user` (\n" +
		"\t`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,\n" +
		"\t`better_auth_user_id` text NOT NULL,\n" +
		"\t`first_name` text,\n" +
		"\t`last_name` text,\n" +
		"\t`subscription` text DEFAULT 'free_plan',\n" +
		"\t`token_quota` integer DEFAULT 0,\n" +
		"\t`tokens_used` integer DEFAULT 0,\n" +
		"\t`created_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\t`updated_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\tFOREIGN KEY (`better_auth_user_id`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE cascade\n" +
		");"

	createEntitlements = "CREATE TABLE `entitlements` (\n" +
		"\t`subject_type` text NOT NULL,\n" +
		"\t`subject_id` text NOT NULL,\n" +
		"\t`plan_id` text,\n" +
		"\t`max_concurrent_sessions` integer DEFAULT 1,\n" +
		"\t`rate_limit_rpm` integer DEFAULT 60,\n" +
		"\t`features` text,\n" +
		"\t`updated_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\tPRIMARY KEY(`subject_type`, `subject_id`),\n" +
		"\tFOREIGN KEY (`plan_id`) REFERENCES `plans`(`plan_id`) ON UPDATE no action ON DELETE set null\n" +
		");"

	createPlans = "CREATE TABLE `plans` (\n" +
		"\t`plan_id` text PRIMARY KEY NOT NULL,\n" +
		"\t`monthly_quota_tokens` integer NOT NULL,\n" +
		"\t`price_cents` integer NOT NULL,\n" +
		"\t`created_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\t`updated_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))\n" +
		");"

	createProcessedEvents = "CREATE TABLE `processed_events` (\n" +
		"\t`event_id` text PRIMARY KEY NOT NULL,\n" +
		"\t`created_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now'))\n" +
		");"

	createSession = "CREATE TABLE `session` (\n" +
		"\t`id` text PRIMARY KEY NOT NULL,\n" +
		"\t`expiresAt` integer NOT NULL,\n" +
		"\t`token` text NOT NULL,\n" +
		"\t`createdAt` integer NOT NULL,\n" +
		"\t`updatedAt` integer NOT NULL,\n" +
		"\t`ipAddress` text,\n" +
		"\t`userAgent` text,\n" +
		"\t`userId` text NOT NULL,\n" +
		"\tFOREIGN KEY (`userId`) REFERENCES `user`(`id`) ON UPDATE no action ON DELETE cascade\n" +
		");"

	createUsageLogs = "CREATE TABLE `usage_logs` (\n" +
		"\t`id` text PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))) NOT NULL,\n" +
		"\t`subject_type` text NOT NULL,\n" +
		"\t`subject_id` text NOT NULL,\n" +
		"\t`provider` text NOT NULL,\n" +
		"\t`model` text NOT NULL,\n" +
		"\t`endpoint` text,\n" +
		"\t`method` text,\n" +
		"\t`input_tokens` integer DEFAULT 0 NOT NULL,\n" +
		"\t`output_tokens` integer DEFAULT 0 NOT NULL,\n" +
		"\t`total_tokens` integer DEFAULT 0 NOT NULL,\n" +
		"\t`adjusted_input_tokens` integer,\n" +
		"\t`adjusted_output_tokens` integer,\n" +
		"\t`adjusted_total_tokens` integer,\n" +
		"\t`input_ratio` real,\n" +
		"\t`output_ratio` real,\n" +
		"\t`modality` text,\n" +
		"\t`session_id` text,\n" +
		"\t`request_id` text,\n" +
		"\t`response_id` text,\n" +
		"\t`event_type` text,\n" +
		"\t`ledger_id` text,\n" +
		"\t`metadata` text,\n" +
		"\t`created_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\tFOREIGN KEY (`ledger_id`) REFERENCES `wallet_ledger`(`id`) ON UPDATE no action ON DELETE set null\n" +
		");"

	createUser = "CREATE TABLE `user` (\n" +
		"\t`id` text PRIMARY KEY NOT NULL,\n" +
		"\t`name` text NOT NULL,\n" +
		"\t`email` text NOT NULL,\n" +
		"\t`emailVerified` integer NOT NULL,\n" +
		"\t`image` text,\n" +
		"\t`createdAt` integer NOT NULL,\n" +
		"\t`updatedAt` integer NOT NULL\n" +
		");"

	createVerification = "CREATE TABLE `verification` (\n" +
		"\t`id` text PRIMARY KEY NOT NULL,\n" +
		"\t`identifier` text NOT NULL,\n" +
		"\t`value` text NOT NULL,\n" +
		"\t`expiresAt` integer NOT NULL,\n" +
		"\t`createdAt` integer,\n" +
		"\t`updatedAt` integer\n" +
		");"

	createWalletLedger = "CREATE TABLE `wallet_ledger` (\n" +
		"\t`id` text PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))) NOT NULL,\n" +
		"\t`subject_type` text NOT NULL,\n" +
		"\t`subject_id` text NOT NULL,\n" +
		"\t`amount_tokens` integer NOT NULL,\n" +
		"\t`event_type` text NOT NULL,\n" +
		"\t`reference_type` text,\n" +
		"\t`reference_id` text,\n" +
		"\t`plan_id` text,\n" +
		"\t`external_event_id` text,\n" +
		"\t`description` text,\n" +
		"\t`metadata` text,\n" +
		"\t`created_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\tFOREIGN KEY (`plan_id`) REFERENCES `plans`(`plan_id`) ON UPDATE no action ON DELETE set null\n" +
		");"

	createWallets = "CREATE TABLE `wallets` (\n" +
		"\t`subject_type` text NOT NULL,\n" +
		"\t`subject_id` text NOT NULL,\n" +
		"\t`balance_tokens` integer DEFAULT 0 NOT NULL,\n" +
		"\t`frozen` integer DEFAULT false NOT NULL,\n" +
		"\t`updated_at` text DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ','now')),\n" +
		"\tPRIMARY KEY(`subject_type`, `subject_id`)\n" +
		");"

	createWebhookLogs = "CREATE TABLE `webhook_logs` (\n" +
		"\t`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,\n" +
		"\t`event_id` text NOT NULL,\n" +
		"\t`event_type` text NOT NULL,\n" +
		"\t`user_id` text,\n" +
		"\t`raw_payload` text NOT NULL,\n" +
		"\t`headers` text,\n" +
		"\t`processed_at` integer,\n" +
		"\t`processing_status` text DEFAULT 'pending',\n" +
		"\t`error_message` text,\n" +
		"\t`retry_count` integer DEFAULT 0,\n" +
		"\t`webhook_signature` text,\n" +
		"\t`ip_address` text,\n" +
		"\t`createdAt` integer DEFAULT (unixepoch()),\n" +
		"\t`updatedAt` integer DEFAULT (unixepoch())\n" +
		");"
)

// indexes stand at the end of a dump.
var indexes = []string{
	"CREATE UNIQUE INDEX `app_user_better_auth_user_id_unique` ON `app_user` (`better_auth_user_id`);",
	"CREATE INDEX `idx_app_user_better_auth_user_id` ON `app_user` (`better_auth_user_id`);",
	"CREATE UNIQUE INDEX `session_token_unique` ON `session` (`token`);",
	"CREATE INDEX `idx_usage_logs_subject` ON `usage_logs` (`subject_type`,`subject_id`,`created_at`);",
	"CREATE INDEX `idx_usage_logs_provider` ON `usage_logs` (`provider`);",
	"CREATE INDEX `idx_usage_logs_model` ON `usage_logs` (`model`);",
	"CREATE INDEX `idx_usage_logs_session_id` ON `usage_logs` (`session_id`);",
	"CREATE INDEX `idx_usage_logs_event_type` ON `usage_logs` (`event_type`);",
	"CREATE INDEX `idx_usage_logs_created_at` ON `usage_logs` (`created_at`);",
	"CREATE INDEX `idx_usage_logs_modality` ON `usage_logs` (`modality`);",
	"CREATE INDEX `idx_usage_logs_ledger_id` ON `usage_logs` (`ledger_id`);",
	"CREATE UNIQUE INDEX `user_email_unique` ON `user` (`email`);",
	"CREATE INDEX `idx_ledger_subject` ON `wallet_ledger` (`subject_type`,`subject_id`,`created_at`);",
	"CREATE UNIQUE INDEX `uniq_ledger_external` ON `wallet_ledger` (`external_event_id`);",
	"CREATE INDEX `idx_ledger_event_type` ON `wallet_ledger` (`event_type`,`created_at`);",
	"CREATE INDEX `idx_ledger_reference` ON `wallet_ledger` (`reference_type`,`reference_id`);",
	"CREATE UNIQUE INDEX `webhook_logs_event_id_unique` ON `webhook_logs` (`event_id`);",
	"CREATE INDEX `idx_webhook_logs_event_id` ON `webhook_logs` (`event_id`);",
	"CREATE INDEX `idx_webhook_logs_event_type` ON `webhook_logs` (`event_type`);",
	"CREATE INDEX `idx_webhook_logs_user_id` ON `webhook_logs` (`user_id`);",
	"CREATE INDEX `idx_webhook_logs_created_at` ON `webhook_logs` (`createdAt`);",
	"CREATE INDEX `idx_webhook_logs_processing_status` ON `webhook_logs` (`processing_status`);",
	"CREATE INDEX `idx_webhook_logs_processed_at` ON `webhook_logs` (`processed_at`);",
}
