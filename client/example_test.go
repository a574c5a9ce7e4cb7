package client_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/bridgehead-hpc/bridgehead/client"
)

func ExampleClient_MergeAttributes() {
	head := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"success": false, "reason": "permission NodesWriteAttribs is required"}`)
	}))
	defer head.Close()

	c, err := client.New(client.Config{BaseURL: head.URL + "/api/v1", Credential: client.StaticToken("eyJ...")})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = c.MergeAttributes(context.Background(), "n1", map[string]string{"_boot_style": "rwram"})
	fmt.Println(err)
	// Output: permission NodesWriteAttribs is required
}
