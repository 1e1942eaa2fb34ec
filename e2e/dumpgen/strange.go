package dumpgen

import "fmt"

// Strange returns statements for Options.Extra: rows that a real database gathers
// over the years and that no import may stop at or lose in silence. The dump must
// have a user.
func Strange(seed uint64) map[string][]string {
	user, ghost := UserID(seed, 0), "GhostGhostGhostGhostGhostGhostGh"
	insert := func(table, format string, arguments ...any) string {
		return fmt.Sprintf(`INSERT INTO "%s" VALUES(`, table) + fmt.Sprintf(format, arguments...) + ");"
	}
	entry := func(id, subject, amount, event, metadata, at string) string {
		return insert("wallet_ledger", `'%s',%s,%s,'%s',NULL,NULL,NULL,NULL,NULL,%s,%s`, id, subject, amount, event, metadata, at)
	}
	ofUser, ofGhost := "'user','"+user+"'", "'user','"+ghost+"'"
	return map[string][]string{
		"user": {
			insert("user", `'TwinTwinTwinTwinTwinTwinTwinTwin','Twin','USER0@Generated.Example','1',NULL,'2026-01-01T00:00:00Z',1795416104000`),
			insert("user", `'no-such-form','Odd','odd@generated.example',0,NULL,1,1`),
		},
		"account": {
			insert("account", `'sa1','x','corp-sso','%s',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,1`, user),
			insert("account", `'sa2','g-1','google','%s',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1,1`, user),
			insert("account", `'sa3','x','credential','%s',NULL,NULL,NULL,NULL,NULL,NULL,'md5:1234',1,1`, ghost),
		},
		"session":  {insert("session", `'ss1',1,'expired-token',1,1,NULL,NULL,'%s'`, user), insert("session", `'ss2',9999999999,'ghost-token',1,1,NULL,NULL,'%s'`, ghost)},
		"app_user": {insert("app_user", `900001,'%s','G',NULL,'free_plan',0,0,NULL,NULL`, ghost)},
		"wallets": {
			insert("wallets", `%s,'12.5','true',NULL`, ofGhost), insert("wallets", `'organization','org_strange',777,0,NULL`), insert("wallets", `'team','t',1,0,NULL`),
		},
		"wallet_ledger": {
			entry("strange1", ofGhost, "'42'", "mint", "NULL", "'2026-09-01 00:00:00'"), entry("strange2", ofUser, "0.5", "mint", "'{broken'", "NULL"),
			entry("strange3", ofUser, "7", "bonus", "NULL", "1790000000"), entry("strange4", ofUser, "1e18", "mint", "NULL", "NULL"),
			entry("strange5", "'team','t'", "1", "mint", "NULL", "NULL"), entry("strange6", ofGhost, "-12", "use", `replace('{"a":"b\n"}','\n','')`, "'2026-09-02T00:00:00.000Z'"),
		},
		"usage_logs": {
			insert("usage_logs", `'su1',%s,'openai','gpt',NULL,NULL,1,2,3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'strange6',unistr('\007b\007d'),NULL`, ofGhost),
			insert("usage_logs", `'su2',%s,'openai','gpt',NULL,NULL,'1',-2,3,1,1,9,'x',NULL,NULL,NULL,NULL,NULL,NULL,'gone','broken',NULL`, ofUser),
		},
		"entitlements": {insert("entitlements", `'organization','org_strange','gone_plan',10,600,'[broken',NULL`)},
		"webhook_logs": {insert("webhook_logs", `1,'evt','payment.refunded',NULL,'not json','{broken',NULL,'failed','over`+"\n"+`two lines; ''quoted''',3,NULL,NULL,NULL,NULL`)},
		"verification": {insert("verification", `'v1','user0@generated.example','123456',1,1,1`)},
		"": {
			"CREATE TABLE `d1_migrations` (id integer, name text);", `INSERT INTO "d1_migrations" ("id","name") VALUES(1,'0001'),(2,'0002');`,
			`INSERT INTO "wallets" VALUES(abs(-1));`,
		},
	}
}
