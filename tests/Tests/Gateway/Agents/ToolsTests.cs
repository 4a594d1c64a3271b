namespace Stoa.Tests.Gateway.Agents;

/// <summary>Functions, pre-tools, folders, services and models over HTTP.</summary>
public sealed class ToolsTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    private const string Weather = """
        {"id":"script1","title":"weather","desc":"Tells the weather","status":"published","url":"https://example.org/weather",
         "openaiToolJson":{"function":{"parameters":{"properties":{"city":{"type":"string","description":"where"}},"required":["city"]}}}}
        """;

    [Fact]
    public async Task A_function_is_made_changed_and_shown_in_both_generations()
    {
        var admin = site.Admin();

        var made = await admin.DoAsync("POST", "/api/tools", Weather);
        var id = (string)made["data"]!["_id"]!;
        var changed = (await admin.DoAsync("PUT", $"/api/tools/{id}", """
            {"dataToSend":{"title":"weather2","description":"d","fields":{"place":{"type":"object","required_params":["city"],"parameter":{"city":{"type":"string"}}}},"required_params":["place"]}}
            """))["data"]!;
        var again = await admin.DoAsync("POST", "/api/tools", Weather);
        var list = await admin.DoAsync("GET", "/api/tools");
        var flat = (await admin.DoAsync("PUT", $"/api/tools/{id}",
            """{"dataToSend":{"fields":{"a":{"type":"object","properties":{"b":{}},"required":["b"]}}}}""", "flat"))["data"]!;

        Assert.Equal("API saved successfully", (string?)made["message"]);
        Assert.Equal(
            ("city", "where"), ((string?)made["data"]!["required"]![0], (string?)made["data"]!["fields"]!["city"]!["description"]));
        Assert.Equal(("weather2", "city"), ((string?)changed["title"], (string?)changed["fields"]!["place"]!["required"]![0]));
        Assert.Equal(("string", "where"), ((string?)changed["fields"]!["place"]!["properties"]!["city"]!["type"],
            (string?)changed["old_fields"]!["city"]!["description"]));
        Assert.Equal(id, (string?)again["data"]!["_id"]);
        Assert.Equal("Get all functions of a org successfully", (string?)list["message"]);
        Assert.Single(list["data"]!.AsArray());
        Assert.Equal(("b", "city"), ((string?)flat["fields"]!["a"]!["required_params"]![0], (string?)flat["required_params"]![0]));
        Assert.NotNull(flat["fields"]!["a"]!["parameter"]);
    }

    [Fact]
    public async Task A_removed_function_leaves_its_agents()
    {
        var admin = site.Admin();
        var tool = (string)(await admin.DoAsync("POST", "/api/tools", Weather))["data"]!["_id"]!;
        var (agent, version) = await admin.AgentAsync();
        await admin.DoAsync(
            "PUT", $"/api/versions/{version}", $$$"""{"functionData":{"function_id":"{{{tool}}}","function_operation":"1"}}""");
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");
        var uses = (await admin.DoAsync("GET", "/api/tools/agents-versions-by-functions"))["data"]![tool]!;
        var joined = (await admin.VersionAsync(version))["apiCalls"]![tool]!;

        var removed = await admin.DoAsync("POST", "/api/tools", """{"id":"script1","desc":"","status":"delete"}""");

        Assert.Equal((agent, version), ((string?)uses["agents"]![0]!["_id"], (string?)uses["versions"]![0]!["_id"]));
        Assert.Equal("weather", (string?)joined["title"]);
        Assert.True((bool)removed["deleted"]!);
        Assert.Empty((await admin.VersionAsync(version))["function_ids"]!.AsArray());
        Assert.Empty((await admin.DoAsync("GET", $"/api/agent/{agent}"))["agent"]!["function_ids"]!.AsArray());
        Assert.Equal(404, (await admin.SendAsync("DELETE", "/api/tools", """{"script_id":"script1"}""")).Status);
    }

    [Fact]
    public async Task There_is_one_pre_tool_at_most()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        string Body(string type, string status) =>
            $$$"""{"version_id":"{{{version}}}","pre_tools":{"type":"{{{type}}}","config":{},"args":{"q":"{{user.q}}"}},"status":"{{{status}}}"}""";

        await admin.DoAsync("PUT", $"/api/tools/pre_tool/{agent}", Body("query_refiner", "1"));
        var second = await admin.SendAsync("PUT", $"/api/tools/pre_tool/{agent}", Body("gtwy_web_search", "1"));
        var with = await admin.VersionAsync(version);
        await admin.DoAsync("PUT", $"/api/tools/pre_tool/{agent}", Body("query_refiner", "0"));

        Assert.Equal(400, second.Status);
        Assert.Equal(("query_refiner", "user.q"), ((string?)with["pre_tools"]![0]!["type"], (string?)with["all_varaibles"]![0]));
        Assert.Empty((await admin.VersionAsync(version))["pre_tools"]!.AsArray());
        Assert.Equal(400, (await admin.SendAsync("PUT", $"/api/tools/pre_tool/{agent}", Body("nonsense", "1"))).Status);
    }

    [Fact]
    public async Task Services_and_their_models_are_listed()
    {
        var admin = site.Admin();

        var services = (await admin.DoAsync("GET", "/api/service"))["services"]!.AsObject();
        var openAi = await admin.DoAsync("GET", "/api/service/openai");
        var inBuilt = await admin.DoAsync("GET", "/api/tools/inbuilt");

        Assert.Equal("gpt-5-nano", (string?)services["openai"]!["model"]);
        Assert.Superset(new HashSet<string>(["anthropic", "gemini", "groq", "grok", "mistral",
            "open_router", "ai_ml", "deepgram", "neev_cloud", "moonshot", "deepseek", "demo"]),
            services.Select(service => service.Key).ToHashSet());
        Assert.Equal(2, (double)openAi["chat"]!["gpt-4o"]!["configuration"]!["additional_parameters"]!["creativity_level"]!["max"]!);
        Assert.Equal(2.5m, (decimal)openAi["chat"]!["gpt-4o"]!["outputConfig"]!["usage"]![0]!["total_cost"]!["input_cost"]!);
        Assert.NotNull(openAi["embedding"]!["text-embedding-3-small"]);
        Assert.Equal("{}", (await admin.DoAsync("GET", "/api/service/no-such")).ToJsonString());
        Assert.Equal(["web_search", "image_generation", "Gtwy_Web_Search"],
            inBuilt["in_built_tools"]!.AsArray().Select(tool => (string?)tool!["value"]));
    }

    [Fact]
    public async Task Operators_switch_and_change_the_models_that_all_share()
    {
        var admin = site.Admin();
        using var operators = new HttpClient { BaseAddress = site.Host.Client.BaseAddress };
        var root = new ManagementUser(operators, "default", "stoa-dev");
        const string embed = """{"service":"mistral","model_name":"mistral-embed","status":0}""";

        var refused = await admin.SendAsync("PATCH", "/api/utils/models/status", embed);
        await root.DoAsync("PATCH", "/api/utils/models/status", embed);
        var off = await admin.DoAsync("GET", "/api/service/mistral");
        var listed = (await admin.DoAsync("GET", "/api/utils/models/status/0"))["data"]!.AsArray();
        await root.DoAsync("POST", "/api/utils/models/bulk-update",
            """{"filter":{"service":"mistral"},"change":{"status":1,"validationConfig":{"seen":true}}}""");
        var on = await admin.DoAsync("GET", "/api/service/mistral");

        Assert.Equal((403, "Access denied: you are not authorized for this action"), (refused.Status, (string?)refused.Body["message"]));
        Assert.Null(off["embedding"]!["mistral-embed"]);
        Assert.Contains(listed, model => (string?)model!["model_name"] == "mistral-embed");
        Assert.True((bool)on["embedding"]!["mistral-embed"]!["validationConfig"]!["seen"]!);
        Assert.Equal(404,
            (await root.SendAsync("PATCH", "/api/utils/models/status", """{"service":"mistral","model_name":"none","status":0}""")).Status);
    }

    [Fact]
    public async Task A_model_is_known_by_its_agents()
    {
        var (admin, stranger) = (site.Admin(), site.Admin());
        var (agent, version) = await admin.AgentAsync();
        await admin.DoAsync("POST", $"/api/versions/publish/{version}");

        var data = (await admin.DoAsync("GET", "/api/utils/getBridgesAndVersions/demo"))["data"]!;

        Assert.Equal((agent, version), ((string?)data["agents"]![0]!["_id"], (string?)data["versions"]![0]!["_id"]));
        Assert.Empty((await stranger.DoAsync("GET", "/api/utils/getBridgesAndVersions/demo"))["data"]!["agents"]!.AsArray());
    }

    [Fact]
    public async Task Changes_of_different_parts_at_once_are_all_kept()
    {
        var admin = site.Admin();
        var folder = (string)(await admin.DoAsync("POST", "/api/folder", """{"name":"Shop"}"""))["data"]!["folder_id"]!;
        var key = (string)(await admin.DoAsync(
            "POST", "/api/apikeys", """{"name":"k","apikey":"demo-key-1234","service":"demo"}"""))["api"]!["_id"]!;
        for (var round = 1; round <= 15; round++)
        {
            await Task.WhenAll(
                admin.DoAsync("PUT", "/api/folder", $$$"""{"folder_id":"{{{folder}}}","config":{"round":{{{round}}}}}"""),
                admin.DoAsync("PUT", "/api/folder", $$"""{"folder_id":"{{folder}}","folder_limit":{{round}}}"""),
                admin.DoAsync("PUT", $"/api/apikeys/{key}", $$"""{"apikey_limit":{{round}}}"""),
                admin.DoAsync("PUT", $"/api/apikeys/{key}", $$"""{"name":"k{{round}}"}"""));

            var shown = (await admin.DoAsync("GET", "/api/folder"))["data"]![0]!;
            var kept = (await admin.DoAsync("GET", "/api/apikeys"))["result"]![0]!;
            Assert.Equal((round, round), ((int)shown["config"]!["round"]!, (int)shown["folder_limit"]!));
            Assert.Equal((round, $"k{round}"), ((int)kept["apikey_limit"]!, (string?)kept["name"]));
        }
    }

    [Fact]
    public async Task What_a_function_signs_in_with_is_not_for_viewers()
    {
        var admin = site.Admin();
        var viewer = site.User(admin.Org, "viewer");
        var tool = (string)(await admin.DoAsync("POST", "/api/tools", """
            {"id":"secret","title":"secret","desc":"x","status":"published","kind":"http","url":"https://example.com/",
             "headers":{"x-token":"t0p"},"auth":{"type":"bearer","token":"t0p"}}
            """))["data"]!["_id"]!;
        var (_, version) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/versions/{version}", $$"""{"function_ids":["{{tool}}"]}""");

        foreach (var path in (string[])["/api/tools", $"/api/versions/{version}"])
        {
            Assert.Contains("t0p", (await admin.DoAsync("GET", path)).ToJsonString(), StringComparison.Ordinal);
            Assert.DoesNotContain("t0p", (await viewer.DoAsync("GET", path)).ToJsonString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Folders_hold_agents_and_limits()
    {
        var (admin, stranger) = (site.Admin(), site.Admin());
        var folder = (await admin.DoAsync("POST", "/api/folder", """{"name":"Shop","config":{"a":1}}"""))["data"]!;
        var id = (string)folder["folder_id"]!;
        var (agent, _) = await admin.AgentAsync();
        await admin.DoAsync("PUT", $"/api/agent/{agent}", $$"""{"folder_id":"{{id}}"}""");

        var changed =
            (await admin.DoAsync("PUT", "/api/folder", $$$"""{"folder_id":"{{{id}}}","config":{"b":2},"folder_limit":7}"""))["data"]!;

        Assert.Equal(("Shop", "agent", id), ((string?)folder["name"], (string?)folder["type"], (string?)folder["_id"]));
        Assert.Equal(("""{"b":2}""", 7m), (changed["config"]!.ToJsonString(), (decimal)changed["folder_limit"]!));
        Assert.Equal(400, (await admin.SendAsync("POST", "/api/folder", """{"name":"Shop"}""")).Status);
        Assert.Equal(404, (await stranger.SendAsync("PUT", "/api/folder", $$"""{"folder_id":"{{id}}","name":"x"}""")).Status);
        Assert.Equal(404, (await stranger.SendAsync("DELETE", $"/api/folder/{id}")).Status);
        Assert.Empty((await stranger.DoAsync("GET", "/api/folder"))["data"]!.AsArray());
        await admin.DoAsync("DELETE", $"/api/folder/{id}");
        Assert.Null((await admin.DoAsync("GET", $"/api/agent/{agent}"))["agent"]!["folder_id"]);
    }
}
