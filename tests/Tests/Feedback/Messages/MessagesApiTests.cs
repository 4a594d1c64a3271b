using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback.Messages;

/// <summary>What is read of messages, and what is done to them.</summary>
public sealed class MessagesApiTests(MessagesApiTests.Forest forest) : IClassFixture<MessagesApiTests.Forest>
{
    private FeedbackSite Site => forest.Site;

    /// <summary>A tree that is ranked: a prompt of "author" with accepted answers of "first", "second" and "third".</summary>
    public sealed class Forest : IAsyncLifetime
    {
        public FeedbackSite Site { get; private set; } = null!;

        public string Tree { get; private set; } = "";

        public async ValueTask InitializeAsync()
        {
            Site = await FeedbackSite.StartAsync(("TreeManager:GoalTreeSize", "4"));
            Tree = await Site.RankingTreeAsync();
        }

        public ValueTask DisposeAsync() => Site.DisposeAsync();
    }

    [Fact]
    public async Task A_message_has_every_field()
    {
        var message = (await Site.GetAsync($"/messages/{forest.Tree}", acting: "author")).AsObject();

        Assert.Equal(
            [
                "created_date", "deleted", "edited", "emojis", "frontend_message_id",
                "id", "is_assistant", "lang", "message_tree_id", "model_name",
                "parent_id", "rank", "ranking_count", "review_count", "review_result",
                "synthetic", "text", "user", "user_emojis", "user_id",
                "user_is_author",
            ],
            message.Select(field => field.Key).Order(StringComparer.Ordinal));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00$", (string)message["created_date"]!);
        Assert.True((bool)message["user_is_author"]!);
        Assert.Empty(message["emojis"]!.AsObject());
        Assert.Empty(message["user_emojis"]!.AsArray());
        Assert.Null((await Site.GetAsync($"/messages/{forest.Tree}"))["user_is_author"]);
        Assert.False((bool)(await Site.GetAsync($"/messages/{forest.Tree}", acting: "first"))["user_is_author"]!);
    }

    [Fact]
    public async Task What_stands_around_a_message_is_read_by_either_id()
    {
        var child = (await Site.GetAsync($"/messages/{forest.Tree}/children"))[0]!;
        foreach (var place in (string[])[$"/messages/{child["id"]}", $"/frontend_messages/{child["frontend_message_id"]}"])
        {
            Assert.Equal((string)child["id"]!, (string)(await Site.GetAsync(place))["id"]!);
            Assert.Equal(2, (await Site.GetAsync($"{place}/conversation"))["messages"]!.AsArray().Count);
            var tree = await Site.GetAsync($"{place}/tree");
            Assert.Equal(forest.Tree, (string)tree["id"]!);
            Assert.Equal(4, tree["messages"]!.AsArray().Count);
            Assert.Empty((await Site.GetAsync($"{place}/children")).AsArray());
            Assert.Empty((await Site.GetAsync($"{place}/descendants"))["messages"]!.AsArray());
            Assert.Equal(2, (await Site.GetAsync($"{place}/longest_conversation_in_tree"))["messages"]!.AsArray().Count);
            var most = await Site.GetAsync($"{place}/max_children_in_tree");
            Assert.Equal(forest.Tree, (string)most["id"]!);
            Assert.Equal(4, most["messages"]!.AsArray().Count);
        }
        Assert.Equal(3, (await Site.GetAsync($"/messages/{forest.Tree}/descendants"))["messages"]!.AsArray().Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("/conversation")]
    [InlineData("/tree")]
    [InlineData("/children")]
    [InlineData("/descendants")]
    [InlineData("/longest_conversation_in_tree")]
    [InlineData("/max_children_in_tree")]
    public async Task An_unknown_message_is_told_by_its_number(string rest)
    {
        foreach (var place in (string[])[$"/messages/{Guid.CreateVersion7()}", "/frontend_messages/nothing"])
        {
            var (status, body) = await Site.SendAsync(HttpMethod.Get, place + rest);
            Assert.Equal((404, 2001), (status, (int)body!["error_code"]!));
        }
        var (wrong, detail) = await Site.SendAsync(HttpMethod.Get, $"/messages/none{rest}");
        Assert.Equal((422, "type_error.uuid"), (wrong, (string)detail!["detail"]![0]!["type"]!));
    }

    [Fact]
    public async Task Lists_are_paged_both_ways_without_gap_or_repetition()
    {
        var all = (await Site.GetAsync("/messages/?max_count=100&desc=false"))
            .AsArray().Select(message => (string)message!["id"]!).ToList();
        Assert.Equal(4, all.Count);

        List<string> seen = [];
        string? cursor = null;
        JsonNode page;
        do
        {
            page = await Site.GetAsync($"/messages/cursor?max_count=3{(cursor is null ? "" : $"&after={Uri.EscapeDataString(cursor)}")}");
            Assert.Equal(("created_date", "asc"), ((string)page["sort_key"]!, (string)page["order"]!));
            seen.AddRange(page["items"]!.AsArray().Select(message => (string)message!["id"]!));
            cursor = (string?)page["next"];
        }
        while (cursor is not null);
        Assert.Equal(all, seen);

        var back = await Site.GetAsync($"/messages/cursor?max_count=2&before={Uri.EscapeDataString((string)page["prev"]!)}");
        Assert.Equal(all[1..3], back["items"]!.AsArray().Select(message => (string)message!["id"]!));
        Assert.NotNull((string?)back["prev"]);
        Assert.NotNull((string?)back["next"]);
    }

    [Theory]
    [InlineData("/messages/?username=author", 400, 2012)]
    [InlineData("/messages/cursor?after=nonsense", 400, 101)]
    [InlineData("/messages/cursor?after=x$2026-01-01T00:00:00Z", 400, 101)]
    public async Task A_list_that_cannot_be_made_is_refused(string path, int status, int code)
    {
        var (answered, body) = await Site.SendAsync(HttpMethod.Get, path);
        Assert.Equal((status, code), (answered, (int)body!["error_code"]!));
    }

    [Theory]
    [InlineData("/messages/?max_count=0", "max_count", "value_error.number.not_gt")]
    [InlineData("/messages/?max_count=1001", "max_count", "value_error.number.not_le")]
    [InlineData("/messages/?start_date=yesterday", "start_date", "value_error.datetime")]
    [InlineData("/messages/?start_date=2026-01-01", "start_date", "value_error.datetime")]
    [InlineData("/messages/?only_roots=maybe", "only_roots", "type_error.bool")]
    [InlineData("/messages/?api_client_id=x", "api_client_id", "type_error.uuid")]
    public async Task A_wrong_parameter_is_named(string path, string name, string type)
    {
        var (status, body) = await Site.SendAsync(HttpMethod.Get, path);
        var error = body!["detail"]![0]!;
        Assert.Equal((422, "query", name, type), (status, (string)error["loc"]![0]!, (string)error["loc"]![1]!, (string)error["type"]!));
    }

    [Fact]
    public async Task Lists_are_filtered()
    {
        Assert.Single((await Site.GetAsync("/messages/?only_roots=yes")).AsArray());
        Assert.Single((await Site.GetAsync("/messages/?auth_method=local&username=first")).AsArray());
        Assert.Empty((await Site.GetAsync("/messages/?lang=de")).AsArray());
        Assert.Empty((await Site.GetAsync("/messages/?end_date=2001-01-01T00:00:00")).AsArray());
        Assert.Single((await Site.GetAsync("/frontend_users/local/first/messages")).AsArray());
        var first = (await Site.GetAsync("/messages/?auth_method=local&username=first"))[0]!;
        Assert.Single((await Site.GetAsync($"/users/{first["user_id"]}/messages")).AsArray());
        Assert.Single((await Site.GetAsync($"/users/{first["user_id"]}/messages/cursor"))["items"]!.AsArray());
        Assert.Empty((await Site.GetAsync("/frontend_users/local/nobody/messages/cursor"))["items"]!.AsArray());
        Assert.Equal(404, (await Site.SendAsync(HttpMethod.Get, "/frontend_users/local/nobody/messages")).Status);
        var page = await Site.GetAsync("/messages/cursor?include_user=true&max_count=1");
        Assert.Equal("author", (string)page["items"]![0]!["user"]!["id"]!);
    }

    [Theory]
    [InlineData("first number", 1)]
    [InlineData("text & first", 1)]
    [InlineData("first | second", 2)]
    [InlineData("text !first", 3)]
    [InlineData("((", 0)]
    [InlineData("'", 0)]
    public async Task Words_are_found_in_their_language(string words, int found) =>
        Assert.Equal(
            found, (await Site.GetAsync($"/messages/cursor?lang=en&search_query={Uri.EscapeDataString(words)}"))["items"]!.AsArray().Count);

    [Fact]
    public async Task Valid_labels_depend_on_the_message()
    {
        var child = (await Site.GetAsync($"/messages/{forest.Tree}/children"))[0]!;
        Assert.Equal(14, (await Site.GetAsync("/text_labels/valid_labels"))["valid_labels"]!.AsArray().Count);
        Assert.Equal(11, (await Site.GetAsync($"/text_labels/valid_labels?message_id={forest.Tree}"))["valid_labels"]!.AsArray().Count);
        Assert.Equal(13, (await Site.GetAsync($"/text_labels/valid_labels?message_id={child["id"]}"))["valid_labels"]!.AsArray().Count);
        Assert.Equal(10, (await Site.GetAsync("/text_labels/report_labels"))["valid_labels"]!.AsArray().Count);
    }
}
