using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback.Collection;

public sealed class CollectionTests(SharedReading shared) : IClassFixture<SharedReading>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Served_conversations_are_ranked_and_tell_which_source_is_preferred()
    {
        var site = await (await FreshAsync()).WithUsersAsync();
        var (_, made) = await SendAsync(site, Trees(null));
        var candidates = made!["trees"]![0]!["candidate_ids"]!.AsArray().Select(id => (Guid)id!).ToArray();
        var parent = await site.AskAsync<Guid>($"select parent_id from feedback.message where id = '{candidates[0]}'");
        Assert.Equal("ranking", await site.AskAsync<string>("select state from feedback.message_tree_state"));
        Assert.Equal(
            1, await site.AskAsync<long>($"select count(*) from feedback.offer where message_id = '{parent}' and work = 'ranking'"));

        await site.RankAsync(ReadingSite.Alice, parent, candidates[1], candidates[0], candidates[2]);
        await site.RankAsync(ReadingSite.Bob, parent, candidates[1], candidates[2], candidates[0]);

        var figures = await GetAsync(site, "/preferences");
        Assert.Equal(["new 4:0", "old 1:3", "old 1:3"], figures["sources"]!.AsArray()
            .Select(one => $"{(string)one!["name"]!} {one["wins"]}:{one["losses"]}").Order(StringComparer.Ordinal));
        Assert.Equal(6, figures["pairs"]!.AsArray().Sum(pair => (int)pair!["wins"]!));
        Assert.Empty((await GetAsync(site, "/preferences?from=2999-01-01T00:00:00Z"))["pairs"]!.AsArray());
        Assert.Empty(await site.BrokenAsync());
    }

    [Fact]
    public async Task The_same_tree_is_made_once()
    {
        var site = await FreshAsync();
        var id = Guid.Parse("00000000-0000-7000-8000-000000000077");

        var (_, first) = await SendAsync(site, Trees(id));
        var (_, second) = await SendAsync(site, Trees(id));

        Assert.Equal((true, false), ((bool)first!["trees"]![0]!["is_new"]!, (bool)second!["trees"]![0]!["is_new"]!));
        Assert.Equal(6, await site.AskAsync<long>("select count(*) from feedback.message"));
    }

    [Fact]
    public async Task What_comes_in_several_times_at_once_is_there_once()
    {
        var site = await (await FreshAsync()).WithUsersAsync();
        var id = Guid.Parse("00000000-0000-7000-8000-000000000077");

        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(site, Trees(id))));
        var gold = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => site.Host.Client.PutAsJsonAsync(
            new Uri($"/api/stoa/feedback/gold/{id}", UriKind.Relative), new { labels = new { spam = 0.0 } }, Ct)));

        Assert.All(made, answer => Assert.Equal(200, answer.Status));
        Assert.Single(made, answer => (bool)answer.Body!["trees"]![0]!["is_new"]!);
        Assert.Equal(6, await site.AskAsync<long>("select count(*) from feedback.message"));
        Assert.All(gold, answer => Assert.Equal(204, (int)answer.StatusCode));
    }

    [Theory]
    [InlineData("""{"trees":[]}""")]
    [InlineData(
        """{"trees":[{"conversation":[{"role":"assistant","text":"x"}],"candidates":[{"text":"a","source":{"name":"a"}},{"text":"b","source":{"name":"b"}}]}]}""")]
    [InlineData("""{"trees":[{"conversation":[{"role":"user","text":"x"}],"candidates":[{"text":"a","source":{"name":"a"}}]}]}""")]
    [InlineData(
        """{"trees":[{"conversation":[{"role":"user","text":"x"}],"candidates":[{"text":"a","source":{}},{"text":"b","source":{"name":"b"}}]}]}""")]
    [InlineData("""{"trees":[{"conversation":[null],"candidates":[null,null]}]}""")]
    [InlineData("""{"trees":[null]}""")]
    public async Task A_tree_that_cannot_be_ranked_is_refused(string body)
    {
        var site = await FreshAsync();

        var (status, _) = await SendAsync(site, JsonNode.Parse(body)!);

        Assert.Equal(400, status);
        Assert.Equal(0, await site.AskAsync<long>("select count(*) from feedback.message"));
    }

    [Fact]
    public async Task Agreement_and_trust_are_told_to_operators()
    {
        var site = await (await FreshAsync()).WithUsersAsync();
        var (one, two) = (await site.SayAsync(ReadingSite.Alice, "one"), await site.SayAsync(ReadingSite.Alice, "two"));
        await site.LabelAsync(ReadingSite.Alice, one, """{"spam":1,"quality":1}""");
        await site.LabelAsync(ReadingSite.Bob, one, """{"spam":1,"quality":0.5}""");
        await site.LabelAsync(ReadingSite.Alice, two, """{"spam":0}""");
        await site.LabelAsync(ReadingSite.Bob, two, """{"spam":0}""");
        var gold = await site.Host.Client.PutAsJsonAsync(
            new Uri($"/api/stoa/feedback/gold/{one}", UriKind.Relative), new { labels = new { quality = 1.0 } }, Ct);

        var agreement = await GetAsync(site, "/agreement");
        var annotators = (await GetAsync(site, "/annotators"))["items"]!.AsArray();

        Assert.Equal(204, (int)gold.StatusCode);
        Assert.Equal(("spam", 1.0, 2), agreement["labels"]!.AsArray().Where(label => (string?)label!["label"] == "spam")
            .Select(label => ((string)label!["label"]!, (double)label["alpha"]!, (int)label["messages"]!)).Single());
        Assert.Null(agreement["rankings"]!["w"]);
        Assert.Equal([(1, 2.0 / 3), (0, 1.0 / 3)], annotators.Select(one => ((int)one!["agreed"]!, (double)one["trust"]!)));
        Assert.Equal(one, (Guid)(await GetAsync(site, "/gold"))["items"]![0]!["message_id"]!);
    }

    [Theory]
    [InlineData("""{"labels":{"spam":2}}""", 400)]
    [InlineData("""{"labels":{"nonsense":1}}""", 400)]
    [InlineData("""{}""", 400)]
    [InlineData("""{"labels":{"spam":1}}""", 404)]
    public async Task What_cannot_be_true_is_refused(string body, int status)
    {
        var site = await FreshAsync();
        using var answer = await site.Host.Client.PutAsJsonAsync(
            new Uri($"/api/stoa/feedback/gold/{ReadingSite.Alice}", UriKind.Relative), JsonNode.Parse(body), Ct);
        Assert.Equal(status, (int)answer.StatusCode);
    }

    /// <summary>Asked by the operator.</summary>
    private async Task<ReadingSite> FreshAsync()
    {
        var site = await shared.FreshAsync();
        site.Host.Client.DefaultRequestHeaders.Authorization = new("Bearer", "stoa-dev");
        return site;
    }

    private static object Trees(Guid? id) => new
    {
        trees = new[]
        {
            new
            {
                id, lang = "en", origin = "gateway",
                conversation = new[] { new { role = "user", text = "Hi" },
                    new { role = "assistant", text = "Hello" }, new { role = "user", text = "Why?" } },
                candidates = new[]
                {
                    new { text = "Because",
                        source = new { name = "old", agent_version = "1", model = "m1", provider = "p", call_id = "c1" } },
                    new { text = "It is so",
                        source = new { name = "new", agent_version = "2", model = "m2", provider = "p", call_id = "c2" } },
                    new { text = "Who knows",
                        source = new { name = "old", agent_version = "2", model = "m1", provider = "p", call_id = "c3" } },
                },
            },
        },
    };

    private static async Task<(int Status, JsonNode? Body)> SendAsync(ReadingSite site, object body)
    {
        using var answer = await site.Host.Client.PostAsJsonAsync(new Uri("/api/stoa/feedback/trees", UriKind.Relative), body, Ct);
        return ((int)answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct)));
    }

    private static async Task<JsonNode> GetAsync(ReadingSite site, string path) =>
        JsonNode.Parse(await site.Host.Client.GetStringAsync(new Uri($"/api/stoa/feedback{path}", UriKind.Relative), Ct))!;
}
