package ware

import (
	"context"
	"slices"

	"github.com/bridgehead-hpc/bridgehead/internal/api"
	"github.com/bridgehead-hpc/bridgehead/internal/identity"
)

// clusterRecord is this installation as a whole.
type clusterRecord struct {
	Time         *float64 `json:"time" doc:"The head's time, Unix seconds."`
	Head         string   `json:"head" doc:"The head that answers."`
	Version      string   `json:"version" doc:"The program's version."`
	Naming       string   `json:"naming" doc:"The naming pattern of nodes."`
	DefaultGroup string   `json:"default_group" doc:"UID of the group in which every node is; empty when the caller may not read groups."`
	Clusters     []string `json:"clusters" doc:"The monitored clusters."`
}

func (d *door) getCluster(ctx context.Context, r api.Request[api.None, api.None]) (reply[clusterRecord], error) {
	c := clusterRecord{
		Time: epoch(d.Clock.Now()), Head: d.Head, Version: d.Version, Naming: d.Nodes.Pattern().String(), Clusters: []string{},
	}
	if d.Clusters != nil {
		c.Clusters = listOf(slices.DeleteFunc(slices.Clone(d.Clusters()), func(name string) bool { return !r.InCluster(name) }))
	}
	if !r.Can(identity.AttribGroupsRead) {
		return ok(c), nil
	}
	groups, err := d.Nodes.ListGroups(ctx, r.Caller)
	for _, g := range groups {
		if g.Default {
			c.DefaultGroup = string(g.UID)
		}
	}
	return ok(c), err
}

// clusterBody is what can be changed about the installation.
type clusterBody struct {
	DefaultGroup *string `json:"default_group" doc:"UID or name of the group in which every node is to be."`
}

func (d *door) updateCluster(ctx context.Context, r api.Request[api.None, clusterBody]) (reply[clusterRecord], error) {
	if r.Body.DefaultGroup != nil {
		if _, err := d.Nodes.SetDefaultGroup(ctx, r.Caller, *r.Body.DefaultGroup); err != nil {
			return reply[clusterRecord]{}, err
		}
	}
	return d.getCluster(ctx, api.Request[api.None, api.None]{Caller: r.Caller})
}

type clusterTime struct {
	Time *float64 `json:"time" doc:"The head's time, Unix seconds."`
}

func (d *door) getTime(context.Context, api.Request[api.None, api.None]) (reply[clusterTime], error) {
	return ok(clusterTime{epoch(d.Clock.Now())}), nil
}
