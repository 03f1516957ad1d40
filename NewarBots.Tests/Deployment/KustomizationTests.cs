using k8s;
using k8s.Models;
using NewarBots.Tests.Fixtures;

namespace NewarBots.Tests.Deployment;

/// <summary>Applies <c>deploy/kubernetes</c> to a real API server, which validates and stores every object.</summary>
public sealed class KustomizationTests(KubernetesServer server)
{
    private static readonly string Folder = Repository.PathOf("deploy", "kubernetes");

    /// <summary>The requests of the Kubernetes runtime and its health check.</summary>
    private static readonly (string Verb, string Resource, string? Subresource)[] Needed =
    [
        ("create", "pods", null), ("get", "pods", null), ("list", "pods", null), ("watch", "pods", null), ("patch", "pods", null), ("delete", "pods", null),
        ("get", "pods", "exec"), ("create", "pods", "exec"), ("get", "pods", "log"),
        ("list", "events", null), ("get", "nodes", null), ("list", "nodes", null), ("get", "persistentvolumeclaims", null),
    ];

    [Fact]
    public async Task The_API_server_accepts_the_deployment_twice()
    {
        var client = await server.RequireAsync();
        var built = await server.KubectlAsync("kustomize", Folder);
        Assert.True(built.ExitCode == 0, built.StandardError);
        var file = Path.Combine(Directory.CreateTempSubdirectory("newarbots-kustomization-").FullName, "all.yaml");
        try
        {
            // The server under test is older than the first version with policy/v1, which newer ones have alone.
            await File.WriteAllTextAsync(file, built.StandardOutput.Replace("apiVersion: policy/v1\n", "apiVersion: policy/v1beta1\n", StringComparison.Ordinal));

            for (var turn = 0; turn < 2; turn++)
                await ApplyAsync("--filename", file);
        }
        finally
        {
            Directory.Delete(Path.GetDirectoryName(file)!, recursive: true);
        }
        await ApplyAsync("--namespace", "newarbots", "--filename", Path.Combine(Folder, "autoscaler.yaml"));
        await ApplyAsync("--namespace", "newarbots", "--filename", Path.Combine(Folder, "first-key.yaml"));

        Assert.Equal(2, (await client.AppsV1.ReadNamespacedDeploymentAsync("newarbots-manager", "newarbots")).Spec.Replicas);
        foreach (var (verb, resource, subresource) in Needed)
            Assert.True(await MayAsync(client, verb, resource, subresource), $"{verb} {resource}/{subresource} is denied");
        foreach (var (verb, resource) in new[] { ("get", "secrets"), ("list", "persistentvolumeclaims"), ("patch", "nodes"), ("create", "serviceaccounts"), ("deletecollection", "pods") })
            Assert.False(await MayAsync(client, verb, resource, subresource: null), $"{verb} {resource} is allowed");
    }

    private static async Task<bool> MayAsync(IKubernetes client, string verb, string resource, string? subresource) =>
        (await client.AuthorizationV1.CreateSubjectAccessReviewAsync(new V1SubjectAccessReview
        {
            Spec = new()
            {
                User = "system:serviceaccount:newarbots:newarbots-manager",
                ResourceAttributes = new()
                {
                    NamespaceProperty = resource is "nodes" ? null : "newarbots",
                    Verb = verb,
                    Resource = resource,
                    Subresource = subresource,
                    Name = resource is "persistentvolumeclaims" && verb is "get" ? "newarbots-storage" : null,
                },
            },
        })).Status.Allowed;

    private async Task ApplyAsync(params string[] arguments)
    {
        var applied = await server.KubectlAsync(["apply", "--server-side", .. arguments]);
        Assert.True(applied.ExitCode == 0, applied.StandardError);
    }
}
