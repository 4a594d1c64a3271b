using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>Drafts, what changes them, and what publishing makes of them.</summary>
public sealed class VersionsTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_change_merges_parts_and_replaces_lists_and_makes_a_draft()
    {
        var admin = site.Admin();
        var (_, version) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/versions/{version}", """
            {"configuration":{"prompt":"Hello {{name}}"},"settings":{"tonePrompt":"kind"},"starterQuestion":["a","b"],"variables_state":{"name":{"status":"optional"}}}
            """);

        var answer = await admin.DoAsync("PUT", $"/api/versions/{version}", """
            {"configuration":{"creativity_level":0.5,"prompt":"Hi {{name}}"},"settings":{"responseStylePrompt":"short"},"starterQuestion":["c"],
             "built_in_tools_data":{"built_in_tools":"web_search","built_in_tools_operation":"1"},"unknown":{"x":1},"is_drafted":false,"parent_id":"x"}
            """);

        var shown = answer["agent"]!;
        Assert.Equal("Version Updated successfully", (string?)answer["message"]);
        Assert.Equal(("Hi {{name}}", 0.5, "demo"), ((string?)shown["configuration"]!["prompt"],
            (double)shown["configuration"]!["creativity_level"]!, (string?)shown["configuration"]!["model"]));
        Assert.Equal(("kind", "short"), ((string?)shown["settings"]!["tonePrompt"], (string?)shown["settings"]!["responseStylePrompt"]));
        Assert.Equal(["c"], shown["starterQuestion"]!.AsArray().Select(question => (string?)question));
        Assert.Equal(["web_search"], shown["built_in_tools"]!.AsArray().Select(tool => (string?)tool));
        Assert.True((bool)shown["is_drafted"]!);
        Assert.Null(shown["unknown"]);
        Assert.Equal(["name"], (await admin.VersionAsync(version))["all_varaibles"]!.AsArray().Select(name => (string?)name));
    }

    [Fact]
    public async Task Each_changed_field_is_noted_with_who_changed_it()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/versions/{version}",
            """{"configuration":{"prompt":"x","creativity_level":1},"gpt_memory":false,"cache_on":true}""");
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"gpt_memory":false}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");

        await using var scope = site.Host.Services.CreateAsyncScope();
        var changes = await scope.ServiceProvider.GetRequiredService<GatewayDb>().AgentChanges.Where(change => change.AgentId == agent)
            .ToListAsync(Ct);

        var kinds = changes.Where(change => change.VersionId == version).Select(change => change.Kind).ToList();
        Assert.Equal(
            ["Version created", "service", "configuration", "prompt", "creativity_level", "gpt_memory", "cache_on", "Version published"],
            new[] { "Version created", "service", "configuration", "prompt", "creativity_level",
                "gpt_memory", "cache_on", "Version published" }.Where(kinds.Contains));
        Assert.Single(kinds, "gpt_memory");
        Assert.All(changes, change => Assert.Equal("12", change.UserId));
        Assert.Contains(changes, change => change is { Kind: "Agent created", VersionId: null });
    }

    [Fact]
    public async Task Another_model_keeps_what_is_valid_for_it_and_leaves_the_rest()
    {
        var admin = site.Admin();
        var (_, version) = await admin.AgentAsync(model: null);
        await admin.DoAsync(
            "PUT", $"/api/versions/{version}", """{"service":"openai","configuration":{"model":"gpt-4o","prompt":"stay"}}""");
        await admin.DoAsync("PUT", $"/api/versions/{version}",
            """{"configuration":{"creativity_level":1.5,"max_tokens":300,"response_type":{"type":"json_object"}}}""");

        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"service":"anthropic","configuration":{"model":"claude-sonnet-4-5"}}""");

        var configuration = (await admin.VersionAsync(version))["configuration"]!;
        Assert.Equal("default", configuration["creativity_level"]!.ToJsonString().Trim('"'));
        Assert.Equal(300, (int)configuration["max_tokens"]!);
        Assert.Equal("default", (string?)configuration["token_selection_limit"]);
        Assert.Equal(("stay", "json_object"), ((string?)configuration["prompt"], (string?)configuration["response_type"]!["type"]));
        Assert.Equal(400, (await admin.SendAsync("PUT", $"/api/versions/{version}", """{"configuration":{"model":"no-such"}}""")).Status);
        Assert.Equal(400, (await admin.SendAsync("PUT", $"/api/versions/{version}", """{"service":"no-such"}""")).Status);
    }

    [Fact]
    public async Task What_is_kept_grows_to_its_bound_and_no_further()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        var text = new string('x', 900_000);
        for (var part = 1; part <= 2; part++)
        {
            await admin.DoAsync("PUT", $"/api/versions/{version}", $$$"""{"configuration":{"part{{{part}}}":"{{{text}}}"}}""");
        }

        foreach (var (method, path, body) in ((string, string, string)[])
        [
            ("PUT", $"/api/versions/{version}", $$$"""{"configuration":{"part3":"{{{text}}}"}}"""),
            ("PUT", $"/api/agent/{agent}", $$$"""{"meta":{"a":"{{{text}}}","b":"{{{text}}}","c":"{{{text}}}"}}"""),
            ("POST", "/api/agent", $$$"""{"meta":{"a":"{{{text}}}","b":"{{{text}}}","c":"{{{text}}}"}}"""),
            ("POST", "/api/folder", $$$"""{"name":"Large","config":{"a":"{{{text}}}","b":"{{{text}}}","c":"{{{text}}}"}}"""),
            ("POST", "/api/tools",
                $$$"""{"id":"large","desc":"x","status":"published","headers":{"a":"{{{text}}}","b":"{{{text}}}","c":"{{{text}}}"}}"""),
        ])
        {
            Assert.Equal((method, path, 413), (method, path, (await admin.SendAsync(method, path, body)).Status));
        }

        Assert.Null((await admin.VersionAsync(version))["configuration"]!["part3"]);
        Assert.Single((await admin.DoAsync("GET", "/api/agent"))["agent"]!.AsArray());
    }

    [Fact]
    public async Task Publishing_moves_the_agent_and_leaves_its_own_fields()
    {
        var admin = site.Admin();
        var (agent, first) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/agent/{agent}", """{"settings":{"editAccess":["12"]},"agent_info":{"description":"mine"}}""");
        await admin.DoAsync("PUT", $"/api/versions/{first}", """
            {"configuration":{"prompt":{"role":"{{role}}","goal":"","instruction":"{{user.name}} {{role}}"}},"variables_state":{"role":{"status":"optional"}},
             "variables_path":{"tool":{"city":"place.city"}},"settings":{"editAccess":[],"tonePrompt":"kind"},"agent_info":{"description":"other"}}
            """);
        var answer = await admin.DoAsync("POST", $"/api/versions/publish/{first}");
        var second = (string)(await admin.DoAsync(
            "POST", "/api/versions", $$"""{"version_id":"{{first}}","version_description":"next"}"""))["version_id"]!;
        await admin.DoAsync("PUT", $"/api/versions/{second}", """{"configuration":{"prompt":"second"}}""");

        await admin.DoAsync("POST", $"/api/versions/publish/{second}", """{"generate_summary":false}""");

        Assert.Equal(("version published successfully", first), ((string?)answer["message"], (string?)answer["version_id"]));
        var shown = (await admin.DoAsync("GET", $"/api/agent/{agent}"))["agent"]!;
        Assert.Equal((second, "second", "kind"), ((string?)shown["published_version_id"],
            (string?)shown["configuration"]!["prompt"], (string?)shown["settings"]!["tonePrompt"]));
        Assert.Equal(("12", "mine"), ((string?)shown["settings"]!["editAccess"]![0], (string?)shown["agent_info"]!["description"]));
        Assert.Equal(["user", "place"], (await Variables(admin, first, agent))["required"]!.AsArray().Select(name => (string?)name));
        Assert.Equal((true, false),
            ((bool)(await admin.VersionAsync(first))["is_drafted"]!, (bool)(await admin.VersionAsync(second))["is_drafted"]!));
        Assert.Equal([first, second], shown["versions"]!.AsArray().Select(id => (string?)id));
        Assert.Equal(400, (await admin.SendAsync("DELETE", $"/api/versions/{second}")).Status);
        Assert.Equal(200, (await admin.SendAsync("DELETE", $"/api/versions/{first}")).Status);
    }

    [Fact]
    public async Task Many_who_publish_at_once_leave_one_published_version_and_all_others_drafts()
    {
        var admin = site.Admin();
        var (agent, first) = await admin.AgentAsync();
        List<string> versions = [first];
        for (var index = 0; index < 4; index++)
        {
            versions.Add((string)(await admin.DoAsync("POST", "/api/versions", $$"""{"version_id":"{{first}}"}"""))["version_id"]!);
            await admin.DoAsync("PUT", $"/api/versions/{versions[^1]}", $$$"""{"configuration":{"prompt":"{{{versions[^1]}}}"}}""");
        }

        await Task.WhenAll(versions.Concat(versions).Select(version => admin.DoAsync("POST", $"/api/versions/publish/{version}")));

        var published = (await admin.DoAsync("GET", $"/api/agent/{agent}"))["agent"]!;
        var id = (string?)published["published_version_id"];
        var shown = await Task.WhenAll(versions.Select(admin.VersionAsync));
        Assert.Equal([id], shown.Where(version => !(bool)version["is_drafted"]!).Select(version => (string?)version["_id"]));
        Assert.True(
            JsonNode.DeepEquals(shown.Single(version => (string?)version["_id"] == id)["configuration"], published["configuration"]));
    }

    [Fact]
    public async Task Several_are_published_and_what_fails_is_told()
    {
        var admin = site.Admin();
        var (_, one) = await admin.AgentAsync("One");
        var (_, two) = await admin.AgentAsync("Two");

        var answer = await admin.DoAsync(
            "POST", "/api/versions/bulk_publish", $$"""{"version_ids":["{{one}}","0123456789abcdef01234567","{{two}}"]}""");

        Assert.Equal([one, two], answer["published_version_ids"]!.AsArray().Select(id => (string?)id));
        Assert.Equal(("0123456789abcdef01234567", "Version not found"),
            ((string?)answer["failed"]![0]!["version_id"], (string?)answer["failed"]![0]!["error"]));
    }

    [Fact]
    public async Task Discarding_takes_a_draft_back_to_what_is_published()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"configuration":{"prompt":"good"}}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"configuration":{"prompt":"bad"}}""");

        await admin.DoAsync("POST", $"/api/versions/discard/{version}", $$"""{"bridge_id":"{{agent}}"}""");

        var shown = await admin.VersionAsync(version);
        Assert.Equal(("good", false), ((string?)shown["configuration"]!["prompt"], (bool)shown["is_drafted"]!));
    }

    [Fact]
    public async Task What_differs_between_two_versions_is_told_field_by_field()
    {
        var (admin, stranger) = (site.Admin(), site.Admin());
        var (_, a) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/versions/{a}", """{"configuration":{"prompt":"one"}}""");
        var b = (string)(await admin.DoAsync("POST", "/api/versions", $$"""{"version_id":"{{a}}"}"""))["version_id"]!;
        await admin.DoAsync(
            "PUT", $"/api/versions/{b}", """{"configuration":{"prompt":"two"},"settings":{"tonePrompt":"kind"},"cache_on":true}""");

        var data = (await admin.DoAsync("GET", $"/api/versions/diff?a={a}&b={b}"))["data"]!.AsArray();

        Assert.Equal(
            ["cache_on", "configuration.prompt", "configuration.system_prompt_version_id", "settings.tonePrompt"],
            data.Select(change => (string?)change!["field"]));
        Assert.Equal(("one", "two"), ((string?)data[1]!["a"], (string?)data[1]!["b"]));
        Assert.Equal(404, (await stranger.SendAsync("GET", $"/api/versions/diff?a={a}&b={b}")).Status);
        Assert.Equal(400, (await admin.SendAsync("GET", $"/api/versions/diff?a={a}")).Status);
    }

    [Fact]
    public async Task A_graph_shows_who_calls_whom_and_ends_in_circles()
    {
        var admin = site.Admin();
        var (a, aVersion) = await admin.AgentAsync("A");
        var (b, bVersion) = await admin.AgentAsync("B");
        await ConnectAsync(admin, aVersion, "B", b);
        await ConnectAsync(admin, bVersion, "A", a);
        await admin.DoAsync("POST", "/api/versions/bulk_publish", $$"""{"version_ids":["{{aVersion}}","{{bVersion}}"]}""");

        var data = (await admin.DoAsync("GET", $"/api/versions/connected-agents/{aVersion}"))["data"]!.AsObject();

        Assert.Equal(new[] { a, b }.Order(), data.Select(agent => agent.Key).Order());
        Assert.Equal(b, (string?)data[a]!["connected_agents"]![0]);
    }

    [Theory]
    [InlineData("""{"configuration":{"response_type":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"nonsense"}}}}}""")]
    [InlineData("""{"configuration":{"response_type":{"type":"json_schema","json_schema":"{"}}}""")]
    [InlineData("""{"function_ids":["0123456789abcdef01234567"]}""")]
    [InlineData("""{"functionData":{"function_id":"x","function_operation":"1"}}""")]
    [InlineData("""{"agents":{"connected_agents":{"x":{"bridge_id":"0123456789abcdef01234567"}},"agent_status":"1"}}""")]
    [InlineData("""{"apikey_object_id":{"openai":"0123456789abcdef01234567"}}""")]
    [InlineData("""{"gpt_memory":"yes"}""")]
    [InlineData("""{"settings":[]}""")]
    public async Task A_version_refers_to_nothing_that_is_not_there(string body)
    {
        var admin = site.Admin();
        var (_, version) = await admin.AgentAsync();
        var before = (await admin.VersionAsync(version)).ToJsonString();

        Assert.Equal(400, (await admin.SendAsync("PUT", $"/api/versions/{version}", body)).Status);

        Assert.Equal(before, (await admin.VersionAsync(version)).ToJsonString());
    }

    [Fact]
    public async Task A_cheaper_model_is_suggested_where_there_is_a_key()
    {
        var admin = site.Admin();
        var (_, version) = await admin.AgentAsync(model: null);
        var (status, refused) = await admin.SendAsync("GET", $"/api/versions/suggest-model/{version}");
        var key = (string)(await admin.DoAsync(
            "POST", "/api/apikeys", $$"""{"name":"k","apikey":"{{site.OpenAi.Key}}","service":"openai"}"""))["api"]!["_id"]!;
        await admin.DoAsync("PUT", $"/api/versions/{version}", $$$"""{"apikey_object_id":{"openai":"{{{key}}}"}}""");

        var suggested = await admin.DoAsync("GET", $"/api/versions/suggest-model/{version}");

        Assert.Equal((400, "Please select api key for proceeding further"), (status, (string?)refused["message"]));
        Assert.Equal("gpt-5-nano", (string?)suggested["data"]!["model"]!["model"]);
    }

    private static Task<JsonObject> ConnectAsync(ManagementUser admin, string version, string name, string agent) => admin.DoAsync(
        "PUT", $"/api/versions/{version}",
        new JsonObject
        {
            ["agents"] = new JsonObject
            {
                ["connected_agents"] = new JsonObject { [name] = new JsonObject { ["bridge_id"] = agent } },
                ["agent_status"] = "1",
            },
        }.ToJsonString());

    /// <summary>What callers of the agent are told while this version is published.</summary>
    private static async Task<JsonNode> Variables(ManagementUser admin, string version, string agent)
    {
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        var variables = (await admin.DoAsync("GET", $"/api/agent/{agent}"))["agent"]!["agent_info"]!["agent_variables"]!.DeepClone();
        var other = (await admin.DoAsync("GET", $"/api/agent/{agent}"))["agent"]!["versions"]![1]!;
        await admin.DoAsync("POST", $"/api/versions/publish/{(string?)other}");
        return variables;
    }
}
