using System.Net;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>Ids of another organization in bodies: what is not in the path is checked all the same.</summary>
public sealed class ForeignReferencesTests(GtwyHost host) : IClassFixture<GtwyHost>
{
    [Fact]
    public async Task An_agent_refers_to_nothing_of_another_organization()
    {
        var (theirs, theirVersion) = await MakeAsync("theirs", asOther: true);
        var (own, ownVersion) = await MakeAsync("own", asOther: false);

        (string Path, object Body)[] attempts =
        [
            ($"/api/versions/{ownVersion}",
                new { agents = new { connected_agents = new { x = new { bridge_id = theirs } }, agent_status = "1" } }),
            ($"/api/versions/{ownVersion}", new { agents =
                new { connected_agents = new { x = new { bridge_id = own, version_id = theirVersion } }, agent_status = "1" } }),
            ($"/api/versions/{ownVersion}", new { function_ids = new[] { theirs } }),
            ($"/api/versions/{ownVersion}", new { apikey_object_id = new { demo = theirs } }),
            ($"/api/agent/{own}", new { settings = new { environment_config = new { live = new { version_id = theirVersion } } } }),
            ($"/api/agent/{own}", new { folder_id = theirs }),
        ];
        var statuses = new List<HttpStatusCode>();
        foreach (var (path, body) in attempts)
        {
            statuses.Add((await host.SendAsync("PUT", path, body)).Status);
        }

        Assert.Equal([.. Enumerable.Repeat(HttpStatusCode.BadRequest, 5), HttpStatusCode.NotFound], statuses);
    }

    private async Task<(string Agent, string Version)> MakeAsync(string name, bool asOther)
    {
        var (_, made) = await host.SendAsync("POST", "/api/agent", new { name, flag = true }, asOther);
        Assert.True(made?["agent"] is not null, made?.ToJsonString());
        return ((string)made!["agent"]!["_id"]!, (string)made["agent"]!["versions"]![0]!);
    }
}
