// Package kubernetes holds deploy/kubernetes to the API's own types, and does here what
// its jobs would do in a cluster: the same arguments, environment, files and signals.
package kubernetes

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

const directory = "../../deploy/kubernetes"

// manifests are all objects of the directory, by kind and name, read as strictly as the
// API server reads them: a field that the type lacks, or twice, is an error.
type manifests struct {
	jobs    map[string]*batch.Job
	configs map[string]*core.ConfigMap
	claims  map[string]*core.PersistentVolumeClaim
}

func read(t *testing.T) manifests {
	m := manifests{map[string]*batch.Job{}, map[string]*core.ConfigMap{}, map[string]*core.PersistentVolumeClaim{}}
	var kustomization struct{ Resources []string }
	content, err := os.ReadFile(filepath.Join(directory, "kustomization.yaml"))
	if err == nil {
		err = yaml.Unmarshal(content, &kustomization)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(directory, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(kustomization.Resources)+1 {
		t.Errorf("kustomization.yaml names %v of the files %v", kustomization.Resources, files)
	}
	for _, name := range kustomization.Resources {
		content, err := os.ReadFile(filepath.Join(directory, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range bytes.Split(content, []byte("\n---\n")) {
			if err := m.add(object); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	return m
}

func (m manifests) add(object []byte) error {
	var head struct{ APIVersion, Kind string }
	if err := yaml.Unmarshal(object, &head); err != nil {
		return err
	}
	switch head.APIVersion + " " + head.Kind {
	case "batch/v1 Job":
		var o batch.Job
		err := yaml.UnmarshalStrict(object, &o)
		m.jobs[o.Name] = &o
		return err
	case "v1 ConfigMap":
		var o core.ConfigMap
		err := yaml.UnmarshalStrict(object, &o)
		m.configs[o.Name] = &o
		return err
	case "v1 PersistentVolumeClaim":
		var o core.PersistentVolumeClaim
		err := yaml.UnmarshalStrict(object, &o)
		m.claims[o.Name] = &o
		return err
	}
	return fmt.Errorf("%s %s: not a kind that is expected here", head.APIVersion, head.Kind)
}

// TestManifests: what the types alone do not say.
func TestManifests(t *testing.T) {
	m := read(t)
	if len(m.jobs) != 2 || len(m.configs) != 1 || len(m.claims) != 2 {
		t.Fatalf("%d jobs, %d configurations and %d claims", len(m.jobs), len(m.configs), len(m.claims))
	}
	run, merge := m.jobs["softbench"], m.jobs["softbench-merge"]
	if want := fmt.Sprintf("--shard=auto/%d", *run.Spec.Completions); !slices.Contains(run.Spec.Template.Spec.Containers[0].Args, want) {
		t.Errorf("the job has %d completions, and not %s", *run.Spec.Completions, want)
	}
	if *run.Spec.CompletionMode != batch.IndexedCompletion {
		t.Error("the job's pods have no index")
	}
	if run.Spec.PodFailurePolicy == nil || run.Spec.Template.Spec.RestartPolicy != core.RestartPolicyNever || *run.Spec.PodReplacementPolicy != batch.Failed {
		t.Error("a policy for failed pods needs restartPolicy Never and podReplacementPolicy Failed")
	}
	if merge.Spec.Template.Spec.RestartPolicy != core.RestartPolicyOnFailure {
		t.Error("the merge is not tried again")
	}
	for name, job := range m.jobs {
		pod := job.Spec.Template.Spec
		volumes := map[string]bool{}
		for _, v := range pod.Volumes {
			volumes[v.Name] = true
			if c := v.ConfigMap; c != nil && m.configs[c.Name] == nil {
				t.Errorf("%s: no configuration %s", name, c.Name)
			}
			if c := v.PersistentVolumeClaim; c != nil && m.claims[c.ClaimName] == nil {
				t.Errorf("%s: no claim %s", name, c.ClaimName)
			}
		}
		for _, mount := range pod.Containers[0].VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s: no volume %s", name, mount.Name)
			}
		}
		for key, value := range job.Spec.Template.Labels {
			if job.Labels[key] != value {
				t.Errorf("%s: the pods' label %s is not the job's", name, key)
			}
		}
		if !*pod.SecurityContext.RunAsNonRoot || !*pod.Containers[0].SecurityContext.ReadOnlyRootFilesystem {
			t.Errorf("%s: runs as root, or may write its image", name)
		}
	}
}

// command is what a container of the job does, with the paths of its volumes in root.
func (m manifests) command(t *testing.T, job, root string, environment map[string]string) []string {
	container := m.jobs[job].Spec.Template.Spec.Containers[0]
	environment = maps.Clone(environment)
	for _, e := range container.Env {
		environment[e.Name] = e.Value
		if from := e.ValueFrom; from != nil {
			value, ok := m.configs[from.ConfigMapKeyRef.Name].Data[from.ConfigMapKeyRef.Key]
			if !ok {
				t.Fatalf("%s: no key %s", job, from.ConfigMapKeyRef.Key)
			}
			environment[e.Name] = value
		}
	}
	var args []string
	for _, arg := range container.Args {
		for name, value := range environment {
			arg = strings.ReplaceAll(arg, "$("+name+")", value)
		}
		if strings.Contains(arg, "$(") {
			t.Fatalf("%s: nothing gives %s a value", job, arg)
		}
		for _, mount := range container.VolumeMounts {
			flag, path, found := strings.Cut(arg, "=")
			if !found {
				flag, path = "", arg
			} else {
				flag += "="
			}
			if path == mount.MountPath || strings.HasPrefix(path, mount.MountPath+"/") {
				arg = flag + root + path
				break
			}
		}
		args = append(args, arg)
	}
	return args
}
