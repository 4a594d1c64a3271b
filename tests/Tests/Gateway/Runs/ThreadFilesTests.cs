using System.Net;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway.Files;
using Stoa.Platform.Identity;
using Stoa.Platform.Jobs;
using Stoa.Tests.Assistants;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Runs;

/// <summary>PDFs that are uploaded for a thread: its questions are asked with them for a week, and nobody else's.</summary>
public sealed class ThreadFilesTests(ThreadFilesTests.ClockSite site) : IClassFixture<ThreadFilesTests.ClockSite>
{
    private const string Sonnet =
        """{"service":"anthropic","configuration":{"model":"claude-sonnet-4-5","prompt":"x","response_type":"text"}}""";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_question_of_the_thread_is_asked_with_the_file_and_no_other_is()
    {
        var agent = await site.AgentAsync(Sonnet);
        var other = await site.AgentAsync(Sonnet);

        var (status, uploaded) = await UploadAsync(Pdf("tides"), ("agent_id", agent), ("thread_id", "a"));
        var first = await AskAsync(agent, "a");
        var second = await AskAsync(agent, "a");
        var elsewhere = (string[][])[
            [.. DocumentsOf((await AskAsync(agent, "b"))[^1])], [.. DocumentsOf((await AskAsync(agent, "a", sub: "c"))[^1])],
            [.. DocumentsOf((await AskAsync(other, "a"))[^1])], [.. DocumentsOf((await AskAsync(agent, thread: null))[^1])]];

        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(["tides"], DocumentsOf(first[^1]));
        // As it stands with this question, it is not shown once more with the one before.
        Assert.Equal([[], [], ["tides"]], second.Select(DocumentsOf));
        Assert.All(elsewhere, Assert.Empty);
        var row = (await site.RowsAsync(agent))[0];
        Assert.Equal(
            $$"""[{"url":"{{(string)uploaded["file_url"]!}}","type":"pdf","remembered":true}]""",
            row.Document["user_urls"]!.ToJsonString());
    }

    [Fact]
    public async Task A_file_that_the_question_names_too_is_sent_once()
    {
        var agent = await site.AgentAsync(Sonnet);
        var (_, uploaded) = await UploadAsync(Pdf("once"), ("agent_id", agent), ("thread_id", "a"));
        var named = $$"""
            {"bridge_id":"{{agent}}","user":"Hi","thread_id":"a","user_urls":[{"type":"pdf","url":"{{(string)uploaded["file_url"]!}}"}]}
            """;

        await site.RunAsync(named);
        var first = Asked();
        var second = await AskAsync(agent, "a");

        Assert.Equal(["once"], first.SelectMany(DocumentsOf));
        Assert.Equal([[], [], ["once"]], second.Select(DocumentsOf));
    }

    [Fact]
    public async Task The_newest_stay_until_the_conversation_begins_anew()
    {
        var agent = await site.AgentAsync(Sonnet);
        for (var number = 0; number < 12; number++)
        {
            await UploadAsync(Pdf($"{number}"), ("agent_id", agent), ("thread_id", "a"));
        }

        var kept = await site.ReadAsync("select count(*) from gateway.thread_files where agent_id = $1", agent);
        var asked = DocumentsOf((await AskAsync(agent, "a"))[^1]);
        await site.RunAsync($$"""{"threadId":"a","slugName":"{{agent}}"}""", "/chatbot/bot/resetchat");
        var anew = await AskAsync(agent, "a");

        Assert.Equal(10L, kept);
        Assert.Equal(Enumerable.Range(2, 10).Select(number => $"{number}"), asked);
        Assert.Empty(anew.SelectMany(DocumentsOf));
    }

    [Fact]
    public async Task Files_come_with_a_question_as_far_as_they_fit_together()
    {
        var agent = await site.AgentAsync(Sonnet);
        await UploadAsync(Pdf("old", 12 << 20), ("agent_id", agent), ("thread_id", "a"));
        await UploadAsync(Pdf("new", 12 << 20), ("agent_id", agent), ("thread_id", "a"));
        await UploadAsync(Pdf("huge", 21 << 20), ("agent_id", agent), ("thread_id", "a"));

        Assert.Equal(["new"], DocumentsOf((await AskAsync(agent, "a"))[^1]));
    }

    [Fact]
    public async Task What_does_not_fit_beside_the_question_or_is_gone_is_left_out()
    {
        var agent = await site.AgentAsync(
            """{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x","response_type":"text"}}""");
        var (_, own) = await UploadAsync(Pdf("own", 12 << 20));
        var (_, gone) = await UploadAsync(Pdf("gone"), ("agent_id", agent), ("thread_id", "a"));
        await UploadAsync(Pdf("beside", 12 << 20), ("agent_id", agent), ("thread_id", "a"));
        var path = new Uri((string)gone["file_url"]!).AbsolutePath;
        await site.Host.Services.GetRequiredService<Stoa.Gateway.Uploads.PublicFiles>().DropAsync(path);

        var (status, answer) = await site.RunAsync($$"""
            {"bridge_id":"{{agent}}","user":"Hi","thread_id":"a","user_urls":[{"type":"pdf","url":"{{(string)own["file_url"]!}}"}]}
            """);

        Assert.True(status == HttpStatusCode.OK, answer.ToJsonString());
        var file = site.OpenAi.RequestsFor("gpt-4o")[^1].Json!["messages"]!.AsArray()[^1]!["content"]!.AsArray()
            .Single(part => (string)part!["type"]! == "file");
        Assert.StartsWith("%PDF-1.7\nown", System.Text.Encoding.UTF8.GetString(
            Convert.FromBase64String(((string)file!["file"]!["file_data"]!).Split(',')[1])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_PDFs_are_remembered_and_only_models_that_read_them_are_asked_with_them()
    {
        var reads = await site.AgentAsync(Sonnet);
        var reads2 =
            await site.AgentAsync("""{"service":"openai","configuration":{"model":"gpt-4o","prompt":"x","response_type":"text"}}""");
        var readsNone = await site.AgentAsync(
            """{"service":"openai_completion","configuration":{"model":"gpt-4o-mini","prompt":"x","response_type":"text"}}""");
        await UploadAsync("No PDF, whatever its name"u8.ToArray(), ("agent_id", reads), ("thread_id", "a"));
        await UploadAsync(Pdf("read"), ("agent_id", reads2), ("thread_id", "a"));
        await UploadAsync(Pdf("unread"), ("agent_id", readsNone), ("thread_id", "a"));

        var plain = await AskAsync(reads, "a");
        var (_, answer) = await site.RunAsync($$"""{"bridge_id":"{{reads2}}","user":"Hi","thread_id":"a"}""");
        var (_, answer2) = await site.RunAsync($$"""{"bridge_id":"{{readsNone}}","user":"Hi","thread_id":"a"}""");

        Assert.Empty(plain.SelectMany(DocumentsOf));
        Assert.True((bool)answer["success"]! && (bool)answer2["success"]!, answer.ToJsonString() + answer2.ToJsonString());
        // Chat completions take documents as content alone.
        var parts = site.OpenAi.RequestsFor("gpt-4o")[^1].Json!["messages"]!.AsArray()[^1]!["content"]!.AsArray();
        Assert.StartsWith("data:application/pdf;base64,",
            (string)parts.Single(part => (string)part!["type"]! == "file")!["file"]!["file_data"]!, StringComparison.Ordinal);
        Assert.Equal("Hi", (string)site.OpenAi.RequestsFor("gpt-4o-mini")[^1].Json!["messages"]!.AsArray()[^1]!["content"]!);
        Assert.Equal("[]", (await site.RowsAsync(readsNone))[0].Document["user_urls"]!.ToJsonString());
    }

    [Fact]
    public async Task Where_the_world_can_read_it_the_provider_is_told_its_address()
    {
        await using var open = new PublicSite();
        await open.InitializeAsync();
        var agent = await open.AgentAsync(Sonnet);
        var (_, uploaded) = await UploadAsync(open, Pdf("open"), "stoa-dev", ("agent_id", agent), ("thread_id", "a"));

        await open.RunAsync($$"""{"bridge_id":"{{agent}}","user":"Hi","thread_id":"a"}""");

        var source = open.Anthropic.RequestsFor("claude-sonnet-4-5")[^1].Json!["messages"]![0]!["content"]![0]!["source"]!;
        Assert.StartsWith("https://stoa.example.org/image/", (string)uploaded["file_url"]!, StringComparison.Ordinal);
        Assert.Equal(("url", (string)uploaded["file_url"]!), ((string)source["type"]!, (string)source["url"]!));
    }

    [Fact]
    public async Task Whoever_may_not_use_the_agent_changes_nothing()
    {
        var keys = site.Host.Services.GetRequiredService<KeyStore>();
        var stranger = (await keys.EnsureOrganizationAsync("thread-files", "test", Ct)).Id;
        var strangersKey = (await keys.CreateAsync(stranger, new("other", IsAdmin: true), "test", Ct)).Token;
        var boundKey = (await keys.CreateAsync(Organization.DefaultId, new("bound", Models: ["gpt-4o"]), "test", Ct)).Token;
        var agent = await site.AgentAsync(Sonnet);
        var theirs = await site.AgentAsync(Sonnet, organization: stranger);

        var refused = await UploadAsync(Pdf("foreign"), strangersKey, ("agent_id", agent), ("thread_id", "a"));
        var unknown = await UploadAsync(Pdf("foreign"), ("agent_id", "nobody"), ("thread_id", "a"));
        var bound = await UploadAsync(Pdf("foreign"), boundKey, ("agent_id", agent), ("thread_id", "a"));
        var long1 = await UploadAsync(Pdf("foreign"), ("agent_id", agent), ("thread_id", new string('x', 2_000)));
        var own = await UploadAsync(Pdf("theirs"), strangersKey, ("agent_id", theirs), ("thread_id", "a"));
        var half = await UploadAsync(Pdf("of no thread"), ("agent_id", agent));

        Assert.Equal((HttpStatusCode.BadRequest, "bridge_id does not exist"), (refused.Status, (string)refused.Body["detail"]!["error"]!));
        Assert.Equal((HttpStatusCode.BadRequest, "bridge_id does not exist"), (unknown.Status, (string)unknown.Body["detail"]!["error"]!));
        Assert.Equal((HttpStatusCode.Forbidden, HttpStatusCode.BadRequest), (bound.Status, long1.Status));
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (own.Status, half.Status));
        Assert.Empty((await AskAsync(agent, "a")).SelectMany(DocumentsOf));
        Assert.Equal(0L, await site.ReadAsync("select count(*) from gateway.thread_files where agent_id = $1", agent));
        Assert.Equal(1L, await site.ReadAsync(
            "select count(*) from gateway.thread_files where agent_id = $1 and organization_id = $2", theirs, stranger));
    }

    [Fact]
    public async Task After_a_week_the_file_is_forgotten()
    {
        var agent = await site.AgentAsync(Sonnet);
        await UploadAsync(Pdf("of last week"), ("agent_id", agent), ("thread_id", "a"));
        site.Time.Set(TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(6));
        var before = await AskAsync(agent, "a");

        site.Time.Set(TimeProvider.System.GetUtcNow() + TimeSpan.FromDays(7) + TimeSpan.FromMinutes(1));
        var after = await AskAsync(agent, "a");
        await site.Host.Services.GetRequiredService<JobQueue>().EnqueueAsync(new TidyStored(), options: null, Ct);

        Assert.Equal(["of last week"], DocumentsOf(before[^1]));
        Assert.Empty(after.SelectMany(DocumentsOf));
        await Patience.UntilAsync(
            async () => 0L.Equals(await site.ReadAsync("select count(*) from gateway.thread_files where agent_id = $1", agent)),
            () => "The file is still kept");
    }

    /// <summary>What the model is asked with: the messages.</summary>
    private async Task<List<JsonNode>> AskAsync(string agent, string? thread, string? sub = null)
    {
        var body = new JsonObject { ["bridge_id"] = agent, ["user"] = "Hi", ["thread_id"] = thread, ["sub_thread_id"] = sub };
        var (status, answer) = await site.RunAsync(body.ToJsonString());
        Assert.True(status == HttpStatusCode.OK, answer.ToJsonString());
        return Asked();
    }

    private List<JsonNode> Asked() =>
        [.. site.Anthropic.RequestsFor("claude-sonnet-4-5")[^1].Json!["messages"]!.AsArray().OfType<JsonNode>()];

    /// <summary>What is said in the PDFs of a message.</summary>
    private static IEnumerable<string> DocumentsOf(JsonNode message) => message["content"] is not JsonArray parts ? [] : parts
        .Where(part => (string)part!["type"]! == "document")
        .Select(part => System.Text.Encoding.UTF8.GetString(
            Convert.FromBase64String((string)part!["source"]!["data"]!))["%PDF-1.7\n".Length..].TrimEnd());

    private static byte[] Pdf(string words, int bytes = 0) => System.Text.Encoding.UTF8.GetBytes($"%PDF-1.7\n{words}".PadRight(bytes));

    private Task<(HttpStatusCode Status, JsonNode Body)> UploadAsync(byte[] content, params (string Name, string Value)[] fields) =>
        UploadAsync(site, content, "stoa-dev", fields);

    private Task<(HttpStatusCode Status, JsonNode Body)> UploadAsync(
        byte[] content, string key, params (string Name, string Value)[] fields) =>
        UploadAsync(site, content, key, fields);

    private static async Task<(HttpStatusCode Status, JsonNode Body)> UploadAsync(
        RunSite site, byte[] content, string key, params (string Name, string Value)[] fields)
    {
        using var form = new MultipartFormDataContent { { new ByteArrayContent(content), "file", "a.pdf" } };
        foreach (var (name, value) in fields)
        {
            form.Add(new StringContent(value), name);
        }
        using var request = new HttpRequestMessage(HttpMethod.Post, "/files/upload") { Content = form };
        request.Headers.Add("pauthkey", key);
        using var answer = await site.Host.Client.SendAsync(request, Ct);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!);
    }

    private sealed class PublicSite : RunSite
    {
        protected override void Configure(Dictionary<string, string?> settings) => settings["Stoa:PublicUrl"] = "https://stoa.example.org";
    }

    /// <summary>Its clock can be set.</summary>
    public sealed class ClockSite : RunSite
    {
        internal ShiftedClock Time { get; } = new(TimeProvider.System.GetUtcNow());

        protected override TimeProvider Clock => Time;

        protected override void Configure(Dictionary<string, string?> settings)
        {
            // Jobs finish by the database's clock: they are not to look long over.
            settings["Jobs:KeepMonths"] = "120";
        }
    }
}
