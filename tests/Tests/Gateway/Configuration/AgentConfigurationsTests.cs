using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway.Configuration;
using Stoa.Gateway.ProviderKeys;
using Stoa.Platform.Http;
using Stoa.Tests.Gateway.Agents;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Configuration;

/// <summary>What a run of an agent is given, and why it may be given nothing.</summary>
public sealed class AgentConfigurationsTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_published_agent_is_found_by_its_id_its_slug_and_its_version()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync("My helper");
        await admin.DoAsync("PUT", $"/api/versions/{version}",
            """{"configuration":{"prompt":"Be {{kind}}","max_tokens":100},"variables_state":{"kind":{"default_value":"calm"}}}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        var organization = await site.OrganizationAsync(agent);

        var byId = await FindAsync(organization, agent);

        Assert.Equal((agent, version, "my_helper", "demo", "demo", "chat"),
            (byId.AgentId, byId.VersionId, byId.Slug, byId.Service.Name, byId.Model, byId.Type));
        Assert.Equal(("Be {{kind}}", "calm"),
            (byId.Prompt.GetString(), byId.VariablesState.GetProperty("kind").GetProperty("default_value").GetString()));
        Assert.Equal("""{"max_tokens":100}""", ModelParameters.Resolve(byId.ModelDocument, byId.Parameters).ToJsonString());
        Assert.Equal(agent, (await FindAsync(organization, "my_helper")).AgentId);
        Assert.Equal(agent, (await FindAsync(organization, null, version)).AgentId);
        byId.RequireKey();
    }

    [Fact]
    public async Task What_is_published_runs_until_the_draft_is_and_an_environment_has_its_own()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"configuration":{"prompt":"first"}}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        var other = (string)(await admin.DoAsync("POST", "/api/versions", $$"""{"version_id":"{{version}}"}"""))["version_id"]!;
        await admin.DoAsync("PUT", $"/api/versions/{other}", """{"configuration":{"prompt":"other"}}""");
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"configuration":{"prompt":"second"}}""");
        var environments =
            new JsonObject { ["environment_config"] = new JsonObject { ["staging"] = new JsonObject { ["version_id"] = other } } };
        await admin.DoAsync(
            "PUT", $"/api/agent/{agent}", new JsonObject { ["settings"] = environments, ["bridge_limit"] = 3 }.ToJsonString());
        var organization = await site.OrganizationAsync(agent);

        Assert.Equal("first", (await FindAsync(organization, agent)).Prompt.GetString());
        Assert.Equal("second", (await FindAsync(organization, agent, version)).Prompt.GetString());
        Assert.Equal("other", (await FindAsync(organization, agent, environment: "staging")).Prompt.GetString());
        Assert.Same(await FindAsync(organization, agent), await FindAsync(organization, agent, environment: "unknown"));
        Assert.Same(await FindAsync(organization, agent, other), await FindAsync(organization, agent, environment: "staging"));
        Assert.Equal(3, Assert.Single((await FindAsync(organization, agent, version)).Limits).Limit);
    }

    [Fact]
    public async Task Functions_connected_agents_and_keys_come_with_it()
    {
        var admin = site.Admin();
        var (inner, innerVersion) = await admin.AgentAsync("Inner");
        await admin.DoAsync("PUT", $"/api/versions/{innerVersion}", """{"configuration":{"prompt":"{{city}}"}}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{innerVersion}");
        await admin.DoAsync("PUT", $"/api/agent/{inner}", """{"agent_info":{"description":"knows cities"}}""");
        var tool = (string)(await admin.DoAsync(
            "POST", "/api/tools", """{"id":"weather","title":"weather","desc":"tells it","status":"published"}"""))["data"]!["_id"]!;
        var key = (string)(await admin.DoAsync(
            "POST", "/api/apikeys", $$"""{"name":"k","apikey":"{{site.OpenAi.Key}}","service":"openai"}"""))["api"]!["_id"]!;
        var (agent, version) = await admin.AgentAsync("Outer", model: null);
        await admin.DoAsync("PUT", $"/api/versions/{version}", new JsonObject
        {
            ["function_ids"] = new JsonArray(tool),
            ["apikey_object_id"] = new JsonObject { ["openai"] = key },
            ["pre_tools"] =
                new JsonArray(new JsonObject { ["type"] = "custom_function", ["config"] = new JsonObject { ["script_id"] = "weather" } }),
            ["agents"] = new JsonObject { ["connected_agents"] = new JsonObject { ["cities"] = new JsonObject { ["bridge_id"] = inner } } },
        }.ToJsonString());
        var organization = await site.OrganizationAsync(agent);

        var found = await FindAsync(organization, agent, version);

        Assert.Equal((tool, "weather"), (found.Tools.Single().Id, found.PreFunction!.ScriptId));
        Assert.Equal(("cities", inner, "knows cities"),
            (found.ConnectedAgents[0].Name, found.ConnectedAgents[0].AgentId, found.ConnectedAgents[0].Description));
        Assert.Equal("city", found.ConnectedAgents[0].AgentInfo.GetProperty("agent_variables").GetProperty("required")[0].GetString());
        Assert.Equal((key, "working"), (found.Key!.Id, found.Key.Status));
        Assert.Equal(site.OpenAi.Key, site.Host.Services.GetRequiredService<KeySeal>().Open(found.Key.Sealed));

        await admin.DoAsync("DELETE", $"/api/agent/{inner}");
        Assert.Equal("Unable to resolve bridge configuration", await ProblemAsync(organization, agent, version));
    }

    [Fact]
    public async Task What_cannot_run_says_why_in_the_words_of_the_wire()
    {
        var (admin, stranger) = (site.Admin(), site.Admin());
        var (agent, version) = await admin.AgentAsync();
        var (other, otherVersion) = await stranger.AgentAsync();
        var organization = await site.OrganizationAsync(agent);

        Assert.Equal("bridge_id does not exist", await ProblemAsync(organization, other));
        Assert.Equal("bridge_id does not exist", await ProblemAsync(organization, agent, otherVersion));
        Assert.Equal("bridge_id does not exist", await ProblemAsync(organization, null));
        Assert.EndsWith(
            "Could not find api key or Agent is not Published", await ProblemAsync(organization, agent), StringComparison.Ordinal);
        Assert.Equal("model or service does not exist!", await ProblemOfModelAsync(organization, "demo", "no-such"));
        Assert.Equal("model or service does not exist!", await ProblemOfModelAsync(organization, "no-such", "demo"));

        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"service":"openai","configuration":{"model":"gpt-4o"}}""");
        var keyless = await FindAsync(organization, agent, version);
        Assert.Equal("gpt-4o", keyless.Model);
        Assert.EndsWith("Could not find api key or Agent is not Published",
            Assert.Throws<Failure>(keyless.RequireKey).Message, StringComparison.Ordinal);
        await admin.DoAsync("PUT", $"/api/agent/{agent}", """{"bridge_status":0}""");
        Assert.Equal("Error in getting data: Bridge is Currently Paused", await ProblemAsync(organization, agent, version));
        await admin.DoAsync("DELETE", $"/api/agent/{agent}");
        Assert.Equal("bridge_id does not exist", await ProblemAsync(organization, agent, version));
    }

    [Fact]
    public async Task A_private_model_is_its_organizations_alone()
    {
        var (admin, stranger) = (site.Admin(), site.Admin());
        await admin.DoAsync("POST", "/api/models", """
            {"service":"demo","model_name":"own","status":1,"configuration":{"model":{"field":"drop","default":"own","level":1}},
             "outputConfig":{"usage":[{"total_cost":{"input_cost":2,"output_cost":4,"cached_cost":1}}]},"validationConfig":{"type":"chat"}}
            """);
        var (agent, _) = await admin.AgentAsync(model: "own");
        var (other, version) = await stranger.AgentAsync();

        var found = await site.Configurations.FindModelAsync(await site.OrganizationAsync(agent), "demo", "own", Ct);

        Assert.Equal(new ModelPrice(2, 4, 1, 2), found.Price);
        Assert.Equal("model or service does not exist!", await ProblemOfModelAsync(await site.OrganizationAsync(other), "demo", "own"));
        Assert.Equal(400, (await stranger.SendAsync("PUT", $"/api/versions/{version}", """{"configuration":{"model":"own"}}""")).Status);
        Assert.Equal(404, (await stranger.SendAsync("DELETE", "/api/models?service=demo&model_name=own")).Status);
        Assert.Equal(400, (await admin.SendAsync("DELETE", "/api/models?service=demo&model_name=own")).Status);
        await admin.DoAsync("DELETE", $"/api/agent/{agent}");
        await admin.DoAsync("DELETE", "/api/models?service=demo&model_name=own");
    }

    /// <summary>
    /// As an editor does who saves and tries: what was in memory a moment ago is not what runs, also while the feed of changes is away.
    /// </summary>
    [Fact]
    public async Task What_was_changed_here_runs_here_at_once()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        var organization = await site.OrganizationAsync(agent);
        await using var database = NpgsqlDataSource.Create(site.Host.ConnectionString);
        for (var edition = 0; edition < 5; edition++)
        {
            await using (var end = database.CreateCommand(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query ilike 'listen%'"))
            {
                await end.ExecuteNonQueryAsync(Ct);
            }
            await admin.DoAsync("PUT", $"/api/versions/{version}", $$$"""{"configuration":{"prompt":"edition {{{edition}}}"}}""");
            Assert.Equal($"edition {edition}", (await FindAsync(organization, agent, version)).Prompt.GetString());
        }
    }

    [Fact]
    public async Task A_second_host_hears_of_a_change_and_nothing_is_read_until_there_is_one()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        var organization = await site.OrganizationAsync(agent);
        await using var second = await HostUnderTest.StartAsync(new() { ["ConnectionStrings:Stoa"] = site.Host.ConnectionString });
        var there = second.Services.GetRequiredService<AgentConfigurations>();

        // What others change, and the feed's connecting, drop it now and then.
        await UntilAsync(async () => ReferenceEquals(
            await there.FindAsync(organization, agent, null, null, Ct), await there.FindAsync(organization, agent, null, null, Ct)));
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"configuration":{"prompt":"new"}}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");

        await UntilAsync(async () => (await there.FindAsync(organization, agent, null, null, Ct)).Prompt
            is { ValueKind: System.Text.Json.JsonValueKind.String } prompt
            && prompt.GetString() == "new");
    }

    private ValueTask<AgentConfiguration> FindAsync(Guid organization, string? agent, string? version = null, string? environment = null) =>
        site.Configurations.FindAsync(organization, agent, version, environment, Ct);

    private async Task<string> ProblemAsync(Guid organization, string? agent, string? version = null)
    {
        try
        {
            await FindAsync(organization, agent, version);
            return "";
        }
        catch (Failure failure)
        {
            Assert.Equal(FailureKind.Invalid, failure.Kind);
            return failure.Message;
        }
    }

    private async Task<string> ProblemOfModelAsync(Guid organization, string service, string model) =>
        (await Assert.ThrowsAsync<Failure>(async () => await site.Configurations.FindModelAsync(organization, service, model, Ct))).Message;

    /// <summary>Until the change has come through the feed.</summary>
    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        while (!await holds())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Ct);
        }
    }
}
