namespace Stoa.Tests.Feedback.Administration;

public sealed class AdministrationTests(SharedReading shared) : IClassFixture<SharedReading>
{
    private static readonly Guid Alice = ReadingSite.Alice, Bob = ReadingSite.Bob;

    [Fact]
    public async Task A_preview_tells_what_a_purge_does_and_changes_nothing()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await SettingAsync(site);

        var (status, preview) = await site.SendAsync("POST", $"/admin/purge_user/{Bob}");

        Assert.Equal(
            (200, 5, 1, true), (status, (int)preview!["before"]!["all"]!, (int)preview["after"]!["all"]!, (bool)preview["preview"]!));
        Assert.Equal(5, await site.AskAsync<long>("select count(*) from feedback.message"));
        Assert.Equal((404, 4002), await site.SendAsync(
            "POST", $"/admin/purge_user/{Guid.Empty}") is var (missing, body) ? (missing, (int)body!["error_code"]!) : default);
    }

    [Fact]
    public async Task A_purge_takes_the_users_trees_and_replies_and_mends_the_rest()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var (root, sibling) = await SettingAsync(site);

        var (_, purged) = await site.SendAsync("POST", $"/admin/purge_user/{Bob}?preview=false");

        Assert.Equal(1, (int)purged!["after"]!["message_trees"]!);
        Assert.Equal(0, await site.AskAsync<long>($"select count(*) from feedback.message where user_id = '{Bob}'"));
        Assert.Equal(0, await site.AskAsync<int>($"select children_count from feedback.message where id = '{root}'"));
        Assert.Equal(0, await site.AskAsync<long>($"select count(*) from feedback.message where id = '{sibling}'"));
        Assert.True(await site.AskAsync<bool>($"select deleted and not enabled from feedback.user where id = '{Bob}'"));
        Assert.Empty(await site.BrokenAsync());
    }

    [Fact]
    public async Task A_purge_of_messages_keeps_prompts_unless_they_are_asked_for()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        await SettingAsync(site);

        var (_, purged) = await site.SendAsync("POST", $"/admin/purge_user/{Bob}/messages?preview=no&max_date=2999-01-01T00:00:00");

        Assert.Equal((3, 2), ((int)purged!["after"]!["all"]!, (int)purged["after"]!["message_trees"]!));
        Assert.Equal(422, (await site.SendAsync("POST", $"/admin/purge_user/{Bob}/messages?min_date=2020-01-01")).Status);
    }

    [Fact]
    public async Task Merged_users_are_one_and_clashing_emojis_are_one()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var message = await site.SayAsync(Alice, "hello");
        foreach (var user in (string[])["alice", "bob"])
        {
            await site.SendAsync("POST", $"/messages/{message}/emoji",
                new { user = new { id = user, display_name = user, auth_method = "local" }, emoji = "100" });
        }
        await site.RunAsync($"""
            insert into feedback.offer (message_id, work, type, message_tree_id, lang, author_id, wanted)
            values ('{message}', 'label_prompt', 'label_initial_prompt', '{message}', 'en', '{Bob}', 3)
            """);

        Assert.Equal(204, (await site.SendAsync(
            "POST", "/admin/merge_users", new { destination_user_id = Alice, source_user_ids = new[] { Bob } })).Status);

        Assert.Equal((404, 4002),
            await site.SendAsync("GET", $"/users/{Bob}") is var (status, body) ? (status, (int)body!["error_code"]!) : default);
        Assert.Equal(1, (int)(await site.GetAsync($"/messages/{message}"))["emojis"]!["100"]!);
        Assert.Equal(Alice, await site.AskAsync<Guid>("select author_id from feedback.offer"));
        Assert.Empty(await site.BrokenAsync());
        Assert.Equal(404, (await site.SendAsync(
            "POST", "/admin/merge_users", new { destination_user_id = Bob, source_user_ids = new[] { Alice } })).Status);
    }

    [Fact]
    public async Task Flags_are_paged_and_processed()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var messages = new List<Guid>();
        for (var i = 0; i < 3; i++)
        {
            messages.Add(await site.SayAsync(Alice, $"m{i}"));
            await site.RunAsync($"insert into feedback.flagged_message values ('{messages[i]}', false, now() + interval '{i} seconds')");
        }

        var first = await site.GetAsync("/admin/flagged_messages/cursor?max_count=2");
        var second =
            await site.GetAsync($"/admin/flagged_messages/cursor?max_count=2&after={Uri.EscapeDataString((string)first["next"]!)}");
        var (status, done) = await site.SendAsync("POST", $"/admin/flagged_messages/{messages[0]}/processed");

        Assert.Equal(messages, first["items"]!.AsArray().Concat(second["items"]!.AsArray()).Select(one => (Guid)one!["message_id"]!));
        Assert.Equal((200, true), (status, (bool)done!["processed"]!));
        Assert.Equal(messages[2], (Guid)(await site.GetAsync("/admin/flagged_messages?max_count=1"))[0]!["message_id"]!);
        Assert.Equal(422, (await site.SendAsync("GET", "/admin/flagged_messages")).Status);
        Assert.Equal(404, (await site.SendAsync("POST", $"/admin/flagged_messages/{Guid.Empty}/processed")).Status);
    }

    [Fact]
    public async Task Settings_show_no_secret()
    {
        await using var site = await ReadingSite.StartAsync(new() { ["Feedback:HuggingFace:ApiKey"] = "hf_secret" });

        var full = (await site.GetAsync("/admin/backend_settings/full")).ToJsonString();
        var open = (await site.GetAsync("/admin/backend_settings/public")).AsObject();

        Assert.DoesNotContain("hf_secret", full, StringComparison.Ordinal);
        Assert.DoesNotContain("1234\"", full, StringComparison.Ordinal);
        Assert.Contains("\"num_required_rankings\":3", full, StringComparison.Ordinal);
        Assert.Equal(12, open.Count);
    }

    /// <summary>A tree of Bob's with Alice's reply; a tree of Alice's with Bob's reply, below which Alice goes on.</summary>
    private static async Task<(Guid Root, Guid Below)> SettingAsync(ReadingSite site)
    {
        var own = await site.SayAsync(Bob, "own");
        await site.SayAsync(Alice, "in his", own);
        var root = await site.SayAsync(Alice, "root");
        var reply = await site.SayAsync(Bob, "reply", root);
        var below = await site.SayAsync(Alice, "below", reply);
        return (root, below);
    }
}
