package server

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/bridgehead-hpc/bridgehead/internal/archive"
	"github.com/bridgehead-hpc/bridgehead/internal/store/sqlite"
	"github.com/bridgehead-hpc/bridgehead/internal/token"
)

// scaffold makes a working directory: config.json, .env with fresh keys, ./var with an empty database and archive.
// What is there already stays as it is; a folder that has ./var is left alone. That comes last, when the files are on the
// disk: whoever is interrupted can begin again.
//
// ClusterCockpit writes well-known demo keys here. Ours are random: a server that goes into production by accident must
// not open to everybody who has read a manual.
func scaffold(ctx context.Context, out io.Writer) error {
	if _, err := os.Stat("var"); err == nil {
		_, err := fmt.Fprintln(out, "The folder ./var exists: this directory is set up already, nothing has been changed.")
		return err
	}
	c := DefaultConfig()
	c.Main.Addr = "127.0.0.1:8080"
	config, err := json.MarshalIndent(initialConfig(c), "", "  ")
	if err != nil {
		return fmt.Errorf("encode config.json: %w", err)
	}
	if err := writeNew("config.json", append(config, '\n'), 0o644); err != nil {
		return err
	}
	env, err := freshEnv()
	if err != nil {
		return err
	}
	if err := writeNew(".env", env, 0o600); err != nil {
		return err
	}
	if err := os.Mkdir("var", 0o700); err != nil {
		return fmt.Errorf("make working directory: %w", err)
	}
	st, err := sqlite.Open(ctx, c.Main.DB, sqlite.Options{Migrate: true})
	if err != nil {
		return err
	}
	if err := st.Close(); err != nil {
		return fmt.Errorf("close database: %w", err)
	}
	dir, err := archive.OpenDir(c.Archive.Path, archive.Options{})
	if err != nil {
		return err
	}
	if err := dir.Close(); err != nil {
		return fmt.Errorf("close archive: %w", err)
	}
	if err := syncFolder("."); err != nil {
		return err
	}
	_, err = fmt.Fprint(out, `Success: config.json, .env, ./var/job.db and ./var/job-archive are ready.
Put a cluster.json for each cluster at ./var/job-archive/<cluster>/cluster.json.
Add an administrator and start: ./cc-backend -add-user <name>:admin,api,role.FullAdmin:<password> -server
`)
	return err
}

// initialConfig is what -init writes: the keys that people change first.
func initialConfig(c Config) map[string]any {
	return map[string]any{
		"main": map[string]any{
			"addr": c.Main.Addr, "db": c.Main.DB, "auth-socket": c.Main.AuthSocket,
			"api-allowed-ips": []string{"*"}, "session-max-age": c.Main.SessionMaxAge,
		},
		"auth":    map[string]any{"jwts": map[string]any{"max-age": c.Auth.JWTs.MaxAge}},
		"archive": map[string]any{"kind": c.Archive.Kind, "path": c.Archive.Path},
		"metric-store": map[string]any{
			"retention-in-memory": c.MetricStore.RetentionInMemory,
			"checkpoint-interval": c.MetricStore.CheckpointInterval,
			"checkpoints":         map[string]any{"directory": c.MetricStore.Checkpoints.Directory},
		},
	}
}

func freshEnv() ([]byte, error) {
	public, private, err := token.GenerateKeys(rand.Reader)
	if err != nil {
		return nil, err
	}
	session := make([]byte, 32)
	if _, err := rand.Read(session); err != nil {
		return nil, fmt.Errorf("make session key: %w", err)
	}
	return fmt.Appendf(nil, "# Secrets of cc-backend; see configs/env-template.txt. Nobody else may read this file.\nJWT_PUBLIC_KEY=%q\nJWT_PRIVATE_KEY=%q\nSESSION_KEY=%q\n",
		public, private, base64.StdEncoding.EncodeToString(session)), nil
}

// writeNew writes a file unless it exists: all of it or nothing, and on the disk when it returns.
func writeNew(path string, data []byte, mode os.FileMode) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	part := path + ".part"
	f, err := os.OpenFile(filepath.Clean(part), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(part)))
	}
	return syncFolder(filepath.Dir(path))
}

// syncFolder makes the names in a folder survive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return fmt.Errorf("sync %s: %w", dir, err)
	}
	return errors.Join(f.Sync(), f.Close())
}
