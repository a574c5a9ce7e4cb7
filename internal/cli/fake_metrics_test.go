package cli_test

import (
	"net/http"
	"strconv"
)

// metricsTop is a metric store with two metrics on two hosts. It speaks without the envelope, as the real one does.
func metricsTop(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if c := r.URL.Query().Get("cluster"); c == "nosuch" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"status":"Unauthorized","error":"unauthorized"}`))
		return
	}
	if r.URL.Query().Get("cluster") == "alhpa" {
		_, _ = w.Write([]byte(`{"total":{"series":0,"slots":0},"metrics":[],"hosts":[]}`))
		return
	}
	flops := `{"cluster":"alpha","name":"flops_any","series":144,"slots":207360,"memory_bytes":1000,"disk_bytes":300000,"bytes_per_sample":1.4515}`
	load := `,{"cluster":"alpha","name":"cpu_load","series":2,"slots":2880,"memory_bytes":100,"disk_bytes":2000,"bytes_per_sample":0.73}`
	if n, _ := strconv.Atoi(r.URL.Query().Get("limit")); n == 1 {
		load = ""
	}
	_, _ = w.Write([]byte(`{"total":{"series":146,"slots":210240,"memory_bytes":1100,"disk_bytes":302000,"bytes_per_sample":1.44},
		"metrics":[` + flops + load + `],"hosts":[{"cluster":"alpha","name":"n01","series":73,"slots":105120,"memory_bytes":550,"disk_bytes":151000,"bytes_per_sample":1.44}],
		"rejected":[{"time":"2026-11-24T12:00:00Z","source":"collector","line":3,"error":"unknown field: 'foo', only 'value' is allowed"}]}`))
}
