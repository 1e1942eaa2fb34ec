package migrations

import (
	"github.com/pocketbase/pocketbase/core"
	m "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Who belongs to an organisation, and as what. The rules say who may; that only
// owners appoint, and that an organisation keeps one, is the hooks' part.
func init() {
	m.Register(func(app core.App) error {
		organizations, err := app.FindCollectionByNameOrId("organizations")
		if err != nil {
			return err
		}
		users, err := app.FindCollectionByNameOrId("users")
		if err != nil {
			return err
		}
		memberships := newCollection("memberships",
			&core.RelationField{Name: "organization", CollectionId: organizations.Id, MaxSelect: 1, Required: true, CascadeDelete: true},
			&core.RelationField{Name: "user", CollectionId: users.Id, MaxSelect: 1, Required: true, CascadeDelete: true},
			&core.SelectField{Name: "role", Values: []string{"owner", "admin", "member"}, MaxSelect: 1, Required: true},
			createdAt(),
			updatedAt(),
		)
		memberships.AddIndex("idx_memberships_user", true, "user, organization", "")
		memberships.AddIndex("idx_memberships_organization", false, "organization, role", "")
		if err := app.Save(memberships); err != nil {
			return err
		}

		// Conditions on memberships_via_organization are about one and the same row.
		// The name, which is never empty, makes SQLite start at the caller's own
		// memberships instead of reading all of them.
		const (
			named    = `organization.name > ""`
			fellow   = signedInRule + ` && ` + named + ` && organization.memberships_via_organization.user ?= @request.auth.id`
			asOwner  = `organization.memberships_via_organization.role ?= "owner"`
			asLeader = `(` + asOwner + ` || organization.memberships_via_organization.role ?= "admin")`
		)
		visible(memberships, fellow)
		memberships.CreateRule = types.Pointer(fellow + ` && ` + asLeader)
		memberships.UpdateRule = types.Pointer(fellow + ` && ` + asOwner)
		memberships.DeleteRule = types.Pointer(fellow + ` && (user = @request.auth.id || ` + asLeader + `)`)
		if err := app.Save(memberships); err != nil {
			return err
		}

		const (
			member  = signedInRule + ` && memberships_via_organization.user ?= @request.auth.id`
			owner   = `memberships_via_organization.role ?= "owner"`
			manager = `(` + owner + ` || memberships_via_organization.role ?= "admin")`
		)
		visible(organizations, member)
		organizations.UpdateRule = types.Pointer(member + ` && ` + manager)
		organizations.DeleteRule = types.Pointer(member + ` && ` + owner)
		if err := app.Save(organizations); err != nil {
			return err
		}

		// Members see their organisation's wallet, and may subscribe to it. The list
		// stays each user's own: an OR would read every wallet.
		wallets, err := app.FindCollectionByNameOrId("wallets")
		if err != nil {
			return err
		}
		wallets.ViewRule = types.Pointer(`(` + ownedRule + `) || (` + signedInRule +
			` && subject_type = "organization" && @request.auth.memberships_via_user.organization ?= subject_id)`)
		return app.Save(wallets)
	}, nil)
}
