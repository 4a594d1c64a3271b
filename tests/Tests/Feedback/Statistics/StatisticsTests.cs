using System.Text.Json.Nodes;
using Stoa.Feedback.Statistics;

namespace Stoa.Tests.Feedback.Statistics;

public sealed class StatisticsTests(SharedReading shared) : IClassFixture<SharedReading>
{
    private static readonly Guid Alice = ReadingSite.Alice, Bob = ReadingSite.Bob;

    [Fact]
    public async Task The_board_counts_what_everybody_did_and_ranks_it()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await PlayAsync(site);

        Assert.Equal(204, (await site.SendAsync("POST", "/leaderboards/update")).Status);

        var board = await site.GetAsync("/leaderboards/total?oasst_user=local:bob");
        var (first, second) = (board["leaderboard"]![0]!, board["leaderboard"]![1]!);
        // Bob: one assistant reply (4), accepted (4), placed first once (9), one full label (2). Alice: two replies, one accepted, second
        // place, a ranking.
        Assert.Equal(("bob", 19, 1, true), Row(first));
        Assert.Equal(("alice", 16, 2, false), Row(second));
        Assert.Equal(4, (int)first["level"]!);
        Assert.Equal(1, (int)first["labels_full"]!);
        Assert.Equal(1, (int)second["reply_ranked_2"]!);
        Assert.Null(board["leaderboard"]![0]!["base_date"]);

        static (string?, int, int, bool) Row(JsonNode row) =>
            ((string?)row["username"], (int)row["leader_score"]!, (int)row["rank"]!, (bool)row["highlighted"]!);
    }

    [Fact]
    public async Task A_frame_counts_what_lies_in_it()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await site.SayAsync(Alice, "old", more: "created_date = now() - interval '40 days'");
        await site.SayAsync(Bob, "new");
        await site.SendAsync("POST", "/leaderboards/update");

        Assert.Equal(["bob"], await NamesAsync("month"));
        Assert.Equal(["alice", "bob"], await NamesAsync("total"));
        Assert.NotNull((await site.GetAsync("/leaderboards/day"))["leaderboard"]![0]!["base_date"]);

        async Task<IEnumerable<string>> NamesAsync(string frame) =>
            (await site.GetAsync($"/leaderboards/{frame}"))["leaderboard"]!.AsArray()
                .Select(row => (string)row!["username"]!).Order(StringComparer.Ordinal);
    }

    [Fact]
    public async Task A_total_counted_step_by_step_is_the_one_counted_at_once()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await site.SayAsync(Alice, "first");
        await site.SendAsync("POST", "/leaderboards/update/total");
        await PlayAsync(site);
        var updates = new BoardUpdates(site.Database, TimeProvider.System);

        await updates.RunAsync(TimeFrame.Total, everyone: false, TestContext.Current.CancellationToken);
        var stepwise = await RowsAsync();
        await updates.RunAsync(TimeFrame.Total, everyone: true, TestContext.Current.CancellationToken);

        Assert.Equal(await RowsAsync(), stepwise);

        Task<string> RowsAsync() => site.AskAsync<string>("""
            select (select jsonb_agg(to_jsonb(s) - 'modified_date' order by user_id) from feedback.user_stats s)::text
              || (select jsonb_agg(to_jsonb(s) - 'modified_date' order by user_id) from feedback.troll_stats s)::text
            """);
    }

    [Fact]
    public async Task Trolls_are_those_of_whom_others_complain()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var message = await site.SayAsync(Bob, "bad", more: """emojis = '{"red_flag":2,"+1":1}'""");
        await site.LabelAsync(Alice, message, """{"spam":1,"pii":0.6,"quality":0.25}""");
        await site.SendAsync("POST", "/leaderboards/update/week");

        var troll = (await site.GetAsync("/trollboards/week?enabled=true"))["trollboard"]![0]!;

        Assert.Equal(("bob", 6, 2, 1, 0.25), (
            (string?)troll["username"], (int)troll["troll_score"]!,
            (int)troll["red_flags"]!, (int)troll["spam"]!, (double)troll["quality"]!));
        Assert.Empty((await site.GetAsync("/trollboards/week?enabled=false"))["trollboard"]!.AsArray());
    }

    [Fact]
    public async Task A_user_sees_his_frames_and_those_next_to_him()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await site.SayAsync(Bob, "hello");
        Assert.Equal(4, (await site.GetAsync($"/users/{Alice}/stats")).AsObject().Count);
        await site.SendAsync("POST", "/leaderboards/update/total");

        Assert.Equal(["total"], (await site.GetAsync($"/users/{Bob}/stats")).AsObject().Select(frame => frame.Key));
        Assert.Equal(0, (int)(await site.GetAsync($"/users/{Alice}/stats/day"))["level"]!);
        Assert.Equal(404, (await site.SendAsync("GET", $"/users/{Bob}/stats/day")).Status);
        Assert.Empty((await site.GetAsync($"/users/{Guid.Empty}/stats")).AsObject());
        Assert.Single((await site.GetAsync($"/users/{Bob}/stats/total/window"))["leaderboard"]!.AsArray());
        Assert.Equal((200, null), ((await site.SendAsync("GET", $"/users/{Alice}/stats/total/window")) is var (status, body)
            ? (status, body?.ToString()) : default));
    }

    [Fact]
    public async Task Cached_figures_are_there_once_they_are_computed()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await site.SayAsync(Bob, "hello");
        Assert.Equal((400, 6000), await site.SendAsync(
            "GET", "/stats/cached/message_trees_by_state") is var (status, body) ? (status, (int)body!["error_code"]!) : default);

        Assert.Equal(204, (await site.SendAsync("POST", "/stats/cached/update")).Status);

        var all = (await site.GetAsync("/stats/cached"))["stats_by_name"]!.AsObject();
        Assert.Equal(SystemFigures.CachedNames.Order(StringComparer.Ordinal), all.Select(one => one.Key).Order(StringComparer.Ordinal));
        Assert.Equal("""{"growing":1}""", all["message_trees_by_state"]!["stats"]!.ToJsonString());
        Assert.Equal("""[{"lang":"en","count":1,"state":"growing"}]""", all["message_trees_states_by_lang"]!["stats"]!.ToJsonString());
    }

    [Fact]
    public async Task The_whole_is_counted()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var root = await site.SayAsync(Bob, "hello");
        await site.SayAsync(Alice, "hi", root, "deleted = true");

        Assert.Equal("""{"all":2,"active":1,"active_by_lang":{"en":1},"deleted":1,"message_trees":1}""",
            (await site.GetAsync("/stats/")).ToJsonString());
        var trees = await site.GetAsync("/stats/tree_manager");
        Assert.Equal(1, (int)trees["state_counts"]!["growing"]!);
        Assert.Equal((1, 0), ((int)trees["message_counts"]![0]!["count"]!, (int)trees["message_counts"]![0]!["depth"]!));
    }

    [Fact]
    public async Task A_frame_that_does_not_exist_is_named_in_the_path()
    {
        var site = await shared.FreshAsync();
        var (status, body) = await site.SendAsync("GET", "/leaderboards/year");
        Assert.Equal((422, """["path","time_frame"]""", "type_error.enum"),
            (status, body!["detail"]![0]!["loc"]!.ToJsonString(), (string?)body["detail"]![0]!["type"]));
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(19, 4)]
    [InlineData(183, 16)]
    [InlineData(5999, 99)]
    [InlineData(6000, 100)]
    [InlineData(1_000_000, 100)]
    public void A_level_is_reached_by_score(int score, int level) => Assert.Equal(level, Level.Of(score));

    /// <summary>Bob and Alice answer Alice's prompt; Alice ranks, Bob reviews.</summary>
    private static async Task PlayAsync(ReadingSite site)
    {
        var root = await site.SayAsync(Alice, "prompt");
        var best = await site.SayAsync(Bob, "best", root);
        var second = await site.SayAsync(Alice, "second", root);
        await site.SayAsync(Alice, "third", root, "review_result = null");
        await site.RankAsync(Alice, root, best, second);
        await site.LabelAsync(Bob, second, """{"spam":0}""");
    }
}
