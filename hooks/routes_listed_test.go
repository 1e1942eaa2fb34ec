package hooks

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"testing"
)

// TestEveryRouteHasARow keeps the role matrix complete: a route without a row in
// it, or a row without a route, fails.
func TestEveryRouteHasARow(t *testing.T) {
	inMatrix := make(map[string]bool)
	for _, row := range roleMatrix {
		if inMatrix[row.route()] {
			t.Errorf("%s is in the matrix twice", row.route())
		}
		inMatrix[row.route()] = true
	}
	registered := routesOf(t, "routes.go")
	if len(registered) < 25 {
		t.Fatalf("only %d routes were found in routes.go: this test reads it wrongly", len(registered))
	}
	for _, route := range registered {
		if !inMatrix[route] {
			t.Errorf("%s has no row in the role matrix", route)
		}
		delete(inMatrix, route)
	}
	for _, route := range slices.Sorted(maps.Keys(inMatrix)) {
		t.Errorf("the matrix has a row for %s, which routes.go does not register", route)
	}
}

// routesOf reads "METHOD /path" of every route out of the source. A group gets its
// prefix where bindRoutes hands it to the function that fills it.
func routesOf(t *testing.T, name string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	prefixes := make(map[string]string)
	ast.Inspect(file, func(node ast.Node) bool {
		outer, function, ok := methodCall(node)
		if ok && len(outer.Args) == 1 {
			if group, method, ok := methodCall(outer.Args[0]); ok && method == "Group" {
				prefixes[function] = text(group.Args[0])
			}
		}
		return true
	})
	var routes []string
	for _, declaration := range file.Decls {
		function, ok := declaration.(*ast.FuncDecl)
		if !ok {
			continue
		}
		ast.Inspect(function, func(node ast.Node) bool {
			call, method, ok := methodCall(node)
			if ok && slices.Contains([]string{"GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "Any"}, method) {
				routes = append(routes, method+" "+prefixes[function.Name.Name]+text(call.Args[0]))
			}
			return true
		})
	}
	return routes
}

func methodCall(node ast.Node) (call *ast.CallExpr, method string, ok bool) {
	call, ok = node.(*ast.CallExpr)
	if !ok {
		return nil, "", false
	}
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil, "", false
	}
	return call, selector.Sel.Name, true
}

func text(expression ast.Expr) string {
	literal, ok := expression.(*ast.BasicLit)
	if !ok {
		return ""
	}
	unquoted, err := strconv.Unquote(literal.Value)
	if err != nil {
		return ""
	}
	return unquoted
}
