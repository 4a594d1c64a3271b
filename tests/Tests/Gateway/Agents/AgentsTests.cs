using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Stoa.Gateway;
using Stoa.Gateway.Agents;
using Stoa.Gateway.Secrets;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>Agents over HTTP, as GTWY's front end manages them.</summary>
public sealed class AgentsTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_agent_has_the_defaults_of_the_settings_generation()
    {
        var admin = site.Admin();

        var answer = await admin.DoAsync("POST", "/api/agent", """{"flag":true}""");

        var agent = answer["agent"]!;
        Assert.True((bool)answer["success"]!);
        Assert.Null(answer["bridge"]);
        Assert.Equal("untitled_agent", (string?)agent["name"]);
        Assert.Equal("untitled_agent", (string?)agent["slugName"]);
        Assert.Equal(admin.Org, (string?)agent["org_id"]);
        Assert.Equal(("openai", "gpt-5-nano", "chat"),
            ((string?)agent["service"], (string?)agent["configuration"]!["model"], (string?)agent["configuration"]!["type"]));
        Assert.Equal("default", (string?)agent["configuration"]!["max_tokens"]);
        Assert.False((bool)agent["configuration"]!["is_rich_text"]!);
        Assert.Equal(["role", "goal", "instruction"], agent["configuration"]!["prompt"]!.AsObject().Select(part => part.Key));
        Assert.Equal((3, true), ((int)agent["settings"]!["maximum_iterations"]!, (bool)agent["settings"]!["stateless_conversation"]!));
        Assert.Equal((1, "api", true), ((int)agent["bridge_status"]!, (string?)agent["bridgeType"], (bool)agent["gpt_memory"]!));
        Assert.Null(agent["published_version_id"]);
        Assert.Single(agent["versions"]!.AsArray());
        Assert.Matches("^[0-9a-f]{24}$", (string)agent["_id"]!);
    }

    [Fact]
    public async Task Without_a_flag_the_settings_generation_is_told_that_it_began_and_the_flat_one_gets_the_agent()
    {
        var admin = site.Admin();

        var (status, begun) = await admin.SendAsync("POST", "/api/agent", """{"name":"Later"}""");
        var (flatStatus, flat) = await admin.SendAsync("POST", "/api/agent", """{"name":"Now"}""", "flat");

        Assert.Equal((202, """{"success":true,"accepted":true,"message":"Agent creation started"}"""), (status, begun.ToJsonString()));
        Assert.Equal(200, flatStatus);
        Assert.Equal("Now", (string?)flat["agent"]!["name"]);
        Assert.Equal((string?)flat["agent"]!["_id"], (string?)flat["bridge"]!["_id"]);
        Assert.Equal(3, (int)flat["agent"]!["tool_call_count"]!);
        Assert.Equal("default", (string?)flat["agent"]!["configuration"]!["response_format"]!["type"]);
        Assert.Null(flat["agent"]!["settings"]?["maximum_iterations"]);
        var names = (await admin.DoAsync("GET", "/api/agent"))["agent"]!.AsArray().Select(agent => (string?)agent!["name"]);
        Assert.Equal(["Later", "Now"], names.Order());
    }

    [Fact]
    public async Task Both_generations_are_read_and_become_the_same()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();

        await admin.DoAsync("PUT", $"/api/versions/{version}", """
            {"tool_call_count":7,"fall_back":{"is_enable":true,"service":"demo","model":"demo"},
             "guardrails":{"is_enabled":true},"configuration":{"tone":{"value":"kind"},"creativity_level":{"mode":"custom","value":0.5}},
             "connected_agent_details":{"description":"helps","agent_variables":{"fields":{},"required_params":["a"]}}}
            """);
        await admin.DoAsync(
            "PUT", $"/api/agent/{agent}", """{"users":["7"],"page_config":{"availability":"private","allowedUsers":["a@b.c"]}}""");

        var settings = await admin.VersionAsync(version);
        Assert.Equal(
            (7, true), ((int)settings["settings"]!["maximum_iterations"]!, (bool)settings["settings"]!["guardrails"]!["is_enabled"]!));
        Assert.Equal("kind", (string?)settings["settings"]!["tone"]!["value"]);
        Assert.Equal(("7", "a@b.c"), ((string?)settings["settings"]!["editAccess"]![0], (string?)settings["settings"]!["publicUsers"]![0]));
        Assert.Equal("a", (string?)settings["agent_info"]!["agent_variables"]!["required"]![0]);
        Assert.Null(settings["tool_call_count"]);
        var flat = (await admin.DoAsync("GET", $"/api/versions/{version}", shape: "flat"))["agent"]!;
        Assert.Equal((7, "demo", 0.5),
            ((int)flat["tool_call_count"]!, (string?)flat["fall_back"]!["model"], (double)flat["configuration"]!["creativity_level"]!));
        Assert.Equal(("7", "a@b.c"), ((string?)flat["users"]![0], (string?)flat["page_config"]!["allowedUsers"]![0]));
        Assert.Equal(("helps", "a"), ((string?)flat["connected_agent_details"]!["description"],
            (string?)flat["connected_agent_details"]!["agent_variables"]!["required_params"]![0]));
    }

    [Fact]
    public async Task Slugs_are_unique_in_an_organization_also_when_many_are_made_at_once()
    {
        var (admin, other) = (site.Admin(), site.Admin());

        await Task.WhenAll(Enumerable.Range(0, 12)
            .Select(_ => admin.DoAsync("POST", "/api/agent", """{"name":"My Agent!","flag":true}""")));
        await other.DoAsync("POST", "/api/agent", """{"name":"My Agent!","flag":true}""");

        var slugs = (await admin.DoAsync("GET", "/api/agent"))["agent"]!.AsArray().Select(agent => (string)agent!["slugName"]!).ToList();
        Assert.Equal(12, slugs.Distinct().Count());
        Assert.Contains("my_agent_", slugs);
        Assert.All(slugs, slug => Assert.StartsWith("my_agent_", slug, StringComparison.Ordinal));
        Assert.Equal("my_agent_", (string?)(await other.DoAsync("GET", "/api/agent"))["agent"]![0]!["slugName"]);
    }

    [Fact]
    public async Task An_agents_own_fields_are_changed_and_a_taken_slug_is_refused()
    {
        var admin = site.Admin();
        var (agent, _) = await admin.AgentAsync("One");
        var (second, _) = await admin.AgentAsync("Two");

        var changed = await admin.DoAsync("PUT", $"/api/agent/{agent}", """
            {"name":"Uno","bridge_status":0,"bridgeType":"chatbot","bridge_limit":5,"bridge_limit_reset_period":"weekly","meta":{"a":1},
             "settings":{"maximum_iterations":5},"_id":"x","org_id":"evil","deletedAt":"2001-01-01","published_version_id":"0"}
            """);
        var (status, refused) = await admin.SendAsync("PUT", $"/api/agent/{second}", """{"slugName":"one"}""");

        var shown = changed["agent"]!;
        Assert.Equal("Agent Updated successfully", (string?)changed["message"]);
        Assert.Equal(("Uno", "one", 0, "chatbot"),
            ((string?)shown["name"], (string?)shown["slugName"], (int)shown["bridge_status"]!, (string?)shown["bridgeType"]));
        Assert.Equal((5m, "weekly"), ((decimal)shown["bridge_limit"]!, (string?)shown["bridge_limit_reset_period"]));
        Assert.NotNull(shown["bridge_limit_start_date"]);
        Assert.Equal((agent, admin.Org), ((string?)shown["_id"], (string?)shown["org_id"]));
        Assert.Equal((5, true), ((int)shown["settings"]!["maximum_iterations"]!, (bool)shown["settings"]!["stateless_conversation"]!));
        Assert.Null(shown["published_version_id"]);
        Assert.Equal((400, false), (status, (bool)refused["success"]!));
    }

    [Fact]
    public async Task A_deleted_agent_comes_back_with_its_versions()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();

        var deleted = await admin.DoAsync("DELETE", $"/api/agent/{agent}");
        var gone = await admin.SendAsync("GET", $"/api/versions/{version}");
        var restored = await admin.DoAsync("DELETE", $"/api/agent/{agent}", """{"restore":true}""");

        Assert.Equal((1, 404, 1), ((int)deleted["deletedVersionsCount"]!, gone.Status, (int)restored["restoredVersionsCount"]!));
        Assert.Equal(agent, (string?)(await admin.VersionAsync(version))["parent_id"]);
    }

    [Fact]
    public async Task What_another_organization_has_is_not_there()
    {
        var (owner, stranger) = (site.Admin(), site.Admin());
        var (agent, version) = await owner.AgentAsync();
        await owner.DoAsync("POST", $"/api/versions/publish/{version}");
        (string, string, string?)[] calls =
        [
            ("GET", $"/api/agent/{agent}", null), ("PUT", $"/api/agent/{agent}", """{"name":"Mine"}"""),
            ("DELETE", $"/api/agent/{agent}", null),
            ("POST", "/api/agent/clone", $$"""{"agent_id":"{{agent}}","to_shift_org_id":"{{stranger.Org}}"}"""),
            ("GET", $"/api/versions/{version}", null), ("PUT", $"/api/versions/{version}", "{}"),
            ("DELETE", $"/api/versions/{version}", null),
            ("POST", "/api/versions", $$"""{"version_id":"{{version}}"}"""), ("POST", $"/api/versions/publish/{version}", null),
            ("POST", $"/api/versions/discard/{version}", $$"""{"bridge_id":"{{agent}}"}"""),
            ("GET", $"/api/versions/connected-agents/{version}", null),
            ("GET", $"/api/versions/suggest-model/{version}", null),
            ("GET", $"/api/apikeys/{agent}", null), ("DELETE", $"/api/utils/agent/{agent}", null),
            ("PUT", $"/api/tools/pre_tool/{agent}", """{"pre_tools":{"type":"query_refiner"},"status":"1"}"""),
        ];

        var before = (await owner.VersionAsync(version)).ToJsonString();
        foreach (var (method, path, body) in calls)
        {
            Assert.Equal((404, method, path), ((await stranger.SendAsync(method, path, body)).Status, method, path));
        }

        Assert.Empty((await stranger.DoAsync("GET", "/api/agent"))["agent"]!.AsArray());
        Assert.Equal(before, (await owner.VersionAsync(version)).ToJsonString());
    }

    [Fact]
    public async Task Viewers_change_nothing_and_editors_what_does_not_name_others()
    {
        var admin = site.Admin();
        var (viewer, named, editor) =
            (site.User(admin.Org, "viewer", "20"), site.User(admin.Org, "viewer", "21"), site.User(admin.Org, "editor", "22"));
        var (agent, version) = await admin.AgentAsync();
        const string rename = """{"bridge_summary":"x"}""";

        Assert.Equal(403, (await viewer.SendAsync("POST", "/api/agent", "{}")).Status);
        Assert.Equal(
            (403, """{"success":false,"message":"You don\u0027t have access to update this agent"}"""),
            await StatusAndTextAsync(viewer.SendAsync("PUT", $"/api/agent/{agent}", rename)));
        Assert.Equal(403, (await viewer.SendAsync("PUT", $"/api/versions/{version}", "{}")).Status);
        Assert.Equal(200, (await editor.SendAsync("PUT", $"/api/agent/{agent}", rename)).Status);

        await admin.DoAsync("PUT", $"/api/agent/{agent}", """{"settings":{"editAccess":["21"]}}""");

        Assert.Equal(403, (await editor.SendAsync("PUT", $"/api/versions/{version}", "{}")).Status);
        Assert.Equal(200, (await named.SendAsync("PUT", $"/api/versions/{version}", "{}")).Status);
        Assert.Equal("viewer", (string?)(await viewer.DoAsync("GET", $"/api/agent/{agent}"))["access"]);
    }

    [Fact]
    public async Task An_embedded_user_sees_his_folder_alone()
    {
        var admin = site.Admin();
        var folder = (string)(await admin.DoAsync("POST", "/api/folder", """{"name":"Stoa"}"""))["data"]!["folder_id"]!;
        var embedded = site.User(admin.Org, "viewer", "30", folder);
        var (outside, _) = await admin.AgentAsync("Outside");

        var (inside, _) = await embedded.AgentAsync("Inside");

        Assert.Equal([inside], (await embedded.DoAsync("GET", "/api/agent"))["agent"]!.AsArray().Select(agent => (string?)agent!["_id"]));
        Assert.Equal(404, (await embedded.SendAsync("GET", $"/api/agent/{outside}")).Status);
        Assert.Equal(404, (await embedded.SendAsync("PUT", $"/api/agent/{outside}", "{}")).Status);
        Assert.Equal(folder, (string?)(await admin.DoAsync("GET", $"/api/agent/{inside}"))["agent"]!["folder_id"]);
    }

    [Theory]
    [InlineData("""[]""")]
    [InlineData("""{"name":5}""")]
    [InlineData("""{"settings":"x"}""")]
    [InlineData("""{"settings":{"editAccess":"x"}}""")]
    [InlineData("""{"bridge_status":2}""")]
    [InlineData("""{"bridge_limit":-1}""")]
    [InlineData("""{"meta":{"a":"\u0000"}}""")]
    [InlineData("""{"meta":{"a":1e999}}""")]
    [InlineData("""{"bridge_limit_reset_period":"yearly"}""")]
    [InlineData("""{"folder_id":"0123456789abcdef01234567"}""")]
    public async Task A_wrong_body_is_refused_and_changes_nothing(string body)
    {
        var admin = site.Admin();
        var (agent, _) = await admin.AgentAsync();
        var before = (await admin.DoAsync("GET", $"/api/agent/{agent}")).ToJsonString();

        var (status, answer) = await admin.SendAsync("PUT", $"/api/agent/{agent}", body);

        Assert.InRange(status, 400, 404);
        Assert.False((bool)answer["success"]!);
        Assert.Equal(before, (await admin.DoAsync("GET", $"/api/agent/{agent}")).ToJsonString());
    }

    [Theory]
    [InlineData("""{"settings":{"environment_config":["x"]}}""")]
    [InlineData("""{"settings":{"editAccess":"x"}}""")]
    [InlineData("""{"settings":{"maximum_iterations":"many"}}""")]
    public async Task A_new_agent_takes_no_settings_that_a_change_would_not(string body)
    {
        var admin = site.Admin();

        Assert.Equal(400, (await admin.SendAsync("POST", "/api/agent", body)).Status);

        Assert.Empty((await admin.DoAsync("GET", "/api/agent"))["agent"]!.AsArray());
    }

    [Fact]
    public async Task Clones_that_are_made_at_once_each_get_a_name()
    {
        var admin = site.Admin();
        var (agent, _) = await admin.AgentAsync("Many");

        var clones = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ =>
            admin.DoAsync("POST", "/api/agent/clone", $$"""{"agent_id":"{{agent}}","to_shift_org_id":"{{admin.Org}}"}""")));

        Assert.Equal(8, clones.Select(clone => (string?)clone["agent_id"]).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Deleted_agents_of_many_organizations_end_together()
    {
        var source = site.Host.Services.GetRequiredService<NpgsqlDataSource>();
        // In parts, as one statement over all of them would be too long a piece of news.
        for (var part = 0; part < 3; part++)
        {
            await using var insert = source.CreateCommand("""
                with made as (
                  insert into platform.organizations (id, slug, name, created_at)
                  select gen_random_uuid(), 'erased-' || gen_random_uuid(), 'x', now() from generate_series(1, 100) returning id
                )
                insert into gateway.agents (id, organization_id, name, slug, kind, is_paused, document, created_at, updated_at, deleted_at)
                select substr(md5(random()::text), 1, 24), id, 'erased', 'x', 'api', false, '{}', now(), now(), now() - interval '40 days'
                  from made
                """);
            await insert.ExecuteNonQueryAsync(Ct);
        }
        await using var scope = site.Host.Services.CreateAsyncScope();
        var handler = new EraseDeletedAgentsHandler(scope.ServiceProvider.GetRequiredService<GatewayDb>(), TimeProvider.System);

        await handler.RunAsync(new(), context: null!, Ct);

        await using var count = source.CreateCommand("select count(*) from gateway.agents where name = 'erased'");
        Assert.Equal(0L, await count.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task A_clone_has_everything_but_keys()
    {
        var admin = site.Admin();
        var (inner, innerVersion) = await admin.AgentAsync("Inner");
        await admin.DoAsync("POST", $"/api/versions/publish/{innerVersion}");
        var (agent, version) = await admin.AgentAsync("Outer");
        var link = new JsonObject { ["connected_agents"] = new JsonObject { ["Inner"] = new JsonObject { ["bridge_id"] = inner } },
            ["agent_status"] = "1" };
        await admin.DoAsync("PUT", $"/api/versions/{version}", new JsonObject { ["agents"] = link }.ToJsonString());
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");

        var clone = (string)(await admin.DoAsync(
            "POST", "/api/agent/clone", $$"""{"agent_id":"{{agent}}","to_shift_org_id":"{{admin.Org}}"}"""))["agent_id"]!;

        var shown = (await admin.DoAsync("GET", $"/api/agent/{clone}"))["agent"]!;
        Assert.Equal("outer_1", (string?)shown["slugName"]);
        Assert.Equal((string?)shown["versions"]![0], (string?)shown["published_version_id"]);
        Assert.NotEqual(version, (string?)shown["versions"]![0]);
        var connected = (string?)shown["connected_agents"]!["Inner"]!["bridge_id"];
        Assert.NotEqual(inner, connected);
        Assert.Equal("inner_1", (string?)(await admin.DoAsync("GET", $"/api/agent/{connected}"))["agent"]!["slugName"]);
        Assert.Equal(403,
            (await admin.SendAsync("POST", "/api/agent/clone", $$"""{"agent_id":"{{agent}}","to_shift_org_id":"elsewhere"}""")).Status);
    }

    [Fact]
    public async Task A_clone_in_another_organization_has_no_credentials_and_says_which_are_missing()
    {
        var person = Guid.CreateVersion7();
        var target = Guid.CreateVersion7();
        var source = site.Host.Services.GetRequiredService<NpgsqlDataSource>();
        await using (var insert = source.CreateCommand("""
            with one as (
              insert into platform.people (id, name, locale, time_zone, state, created_at) values ($1, 'Ada', 'en', 'UTC', 'active', now())
            ), target as (
              insert into platform.organizations (id, slug, name, created_at) values ($2, 'target-' || $2::text, 'Target', now())
            )
            insert into platform.memberships (organization_id, person_id, role, created_at) values ($2, $1, 'admin', now())
            """))
        {
            insert.Parameters.Add(new() { Value = person });
            insert.Parameters.Add(new() { Value = target });
            await insert.ExecuteNonQueryAsync(Ct);
        }
        var admin = site.User($"org-{Guid.CreateVersion7()}", "admin", person.ToString());
        var tool = (string)(await admin.DoAsync("POST", "/api/tools", """
            {"id":"weather","title":"weather","desc":"tells it","status":"published","url":"https://example.com/x?key=canary",
             "headers":{"x-token":"canary","x-vault":"{{secret.CRM}}"},"auth":{"type":"bearer","token":"canary"} }
            """))["data"]!["_id"]!;
        var (agent, version) = await admin.AgentAsync("Shifted");
        await admin.DoAsync("PUT", $"/api/versions/{version}", $$$"""
            {"function_ids":["{{{tool}}}"],"configuration":{"mcp_config":{"servers":[
               {"name":"crm","url":"https://example.com/mcp?token=canary","headers":{"x-token":"canary"} }]}},
             "settings":{"response_format":{"type":"webhook","cred":{"url":"https://example.com/told","headers":{"x-token":"canary"} } } }}
            """);

        var clone = await admin.DoAsync("POST", "/api/agent/clone", $$"""{"agent_id":"{{agent}}","to_shift_org_id":"{{target}}"}""");

        var missing = clone["credentials_to_enter"]!.AsArray().ToDictionary(
            one => (string)one!["type"]!,
            one => string.Join(' ', one!["fields"]!.AsArray().Select(field => (string)field!)), StringComparer.Ordinal);
        Assert.Equal("headers.x-token auth url", missing["function"]);
        Assert.Equal(
            "settings.response_format configuration.mcp_config.servers.crm.headers configuration.mcp_config.servers.crm.url",
            missing["agent"]);
        // What is sealed would read the same: it is looked at as its new owner is shown it.
        using var scope = site.Host.Services.CreateScope();
        var seal = scope.ServiceProvider.GetRequiredService<DocumentSeal>();
        var db = scope.ServiceProvider.GetRequiredService<GatewayDb>();
        var documents = await db.Agents.Where(row => row.OrganizationId == target).Select(row => row.Document)
            .Concat(db.AgentVersions.Where(row => row.OrganizationId == target).Select(row => row.Document))
            .Concat(db.Tools.Where(row => row.OrganizationId == target).Select(row => row.Document)).ToListAsync(Ct);
        Assert.Equal(3, documents.Count);
        Assert.All(documents, document => Assert.DoesNotContain("canary", seal.Opened(document).ToJsonString(), StringComparison.Ordinal));
        Assert.All(documents, document => Assert.DoesNotContain("/told", seal.Opened(document).ToJsonString(), StringComparison.Ordinal));
        Assert.Contains(documents, document => (string?)seal.Opened(document)["headers"]?["x-vault"] == "{{secret.CRM}}");
    }

    [Fact]
    public async Task A_viewer_is_not_shown_what_agents_sign_in_with()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync("Shown");
        await admin.DoAsync("PUT", $"/api/versions/{version}", """
            {"configuration":{"mcp_config":{"servers":[{"name":"crm","url":"https://example.com/mcp?token=canary","headers":{"x-token":"canary"} }]}},
             "settings":{"response_format":{"type":"RTLayer","cred":{"channel":"c","apikey":"canary"} }}}
            """);
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        var viewer = site.User(admin.Org, "viewer");

        foreach (var path in (string[])[$"/api/agent/{agent}", "/api/agent",
            $"/api/versions/{version}", $"/api/versions/diff?a={version}&b={version}"])
        {
            Assert.DoesNotContain("canary", (await viewer.DoAsync("GET", path)).ToJsonString(), StringComparison.Ordinal);
        }
    }

    private static async Task<(int, string)> StatusAndTextAsync(Task<(int Status, JsonObject Body)> call)
    {
        var (status, body) = await call;
        return (status, body.ToJsonString());
    }
}
