using System.Text.Json.Nodes;

namespace Stoa.Tests.Feedback.Users;

public sealed class UsersTests(SharedReading shared) : IClassFixture<SharedReading>
{
    private static readonly Guid Alice = ReadingSite.Alice, Bob = ReadingSite.Bob;

    [Fact]
    public async Task Pages_go_on_and_back()
    {
        var site = await shared.FreshAsync();
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
        {
            await site.SendAsync("POST", "/frontend_users/", new { id = name, display_name = name, auth_method = "local" });
        }

        var first = await site.GetAsync("/users/cursor?max_count=2");
        var second = await site.GetAsync($"/users/cursor?max_count=2&after={Uri.EscapeDataString((string)first["next"]!)}");
        var third = await site.GetAsync($"/users/cursor?max_count=2&after={Uri.EscapeDataString((string)second["next"]!)}");
        var back = await site.GetAsync($"/users/cursor?max_count=2&before={Uri.EscapeDataString((string)third["prev"]!)}");
        var between = await site.GetAsync(
            $"/users/cursor?max_count=9&after={Uri.EscapeDataString((string)first["next"]!)}&before={Uri.EscapeDataString((string)third["prev"]!)}");
        var behind = await site.GetAsync("/users/cursor?after=z");

        Assert.Equal(["a b", "c d", "e", "c d", "c d"], ((JsonNode[])[first, second, third, back, between]).Select(Names));
        Assert.Null(first["prev"]);
        Assert.Null(third["next"]);
        Assert.NotNull(back["prev"]);
        Assert.NotNull(back["next"]);
        Assert.Equal(("z", null, "asc"), ((string?)behind["prev"], (string?)behind["next"], (string?)behind["order"]));
    }

    [Fact]
    public async Task Lists_are_bounded_and_searched_by_name()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();

        Assert.Equal("bob", Names(await site.GetAsync("/users/by_username?gte_username=b")));
        Assert.Equal("bob", Names(await site.GetAsync($"/users/by_username?gte_username=alice&gt_id={Alice}")));
        Assert.Equal("alice", Names(await site.GetAsync("/users/by_display_name?search_text=lic")));
        Assert.Equal("", Names(await site.GetAsync("/users/by_display_name?search_text=_")));
        Assert.Equal("bob alice", Names(await site.GetAsync("/users/by_username?desc=yes")));
        Assert.Equal((400, 0), Refusal(await site.SendAsync("GET", $"/users/by_username?gt_id={Alice}")));
        Assert.Equal((400, 100), Refusal(await site.SendAsync("GET", "/users/cursor?sort_key=age")));
        Assert.Equal((400, 101), Refusal(await site.SendAsync("GET", "/users/cursor?after=x$y")));
        Assert.Equal(422, (await site.SendAsync("GET", "/users/by_username?max_count=0")).Status);
    }

    [Fact]
    public async Task A_plain_save_does_not_take_back_a_ban()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        Assert.Equal(204, (await site.SendAsync("PUT", $"/users/{Bob}?enabled=false&notes=spammer&tos_acceptance=true")).Status);

        var (status, bob) =
            await site.SendAsync("POST", "/frontend_users/", new { id = "bob", display_name = "Robert", auth_method = "local" });

        Assert.Equal(
            (200, "Robert", false, "spammer"), (status, (string?)bob!["display_name"], (bool)bob["enabled"]!, (string?)bob["notes"]));
        Assert.NotNull(bob["tos_acceptance_date"]);
        Assert.Equal(422, (await site.SendAsync("PUT", $"/users/{Bob}?enabled=perhaps")).Status);
        Assert.Equal((404, 4002), Refusal(await site.SendAsync("PUT", $"/users/{Guid.Empty}?enabled=true")));
    }

    [Fact]
    public async Task A_program_that_is_not_trusted_sees_its_own_users_and_changes_none()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        using var bot = await BotAsync(site);
        var saved = await bot.PostAsync(new Uri("/api/v1/frontend_users/", UriKind.Relative),
            JsonBody("""{"id":"own","display_name":"Own","auth_method":"discord"}"""), TestContext.Current.CancellationToken);
        var changed = await bot.PostAsync(new Uri("/api/v1/frontend_users/", UriKind.Relative),
            JsonBody("""{"id":"own","display_name":"Own","auth_method":"discord","notes":"x"}"""), TestContext.Current.CancellationToken);

        Assert.Equal((200, 403), ((int)saved.StatusCode, (int)changed.StatusCode));
        Assert.Equal("own", Names(JsonNode.Parse(
            await bot.GetStringAsync(new Uri("/api/v1/users/by_username", UriKind.Relative), TestContext.Current.CancellationToken))!));
        Assert.Equal(404,
            (int)(await bot.GetAsync(new Uri($"/api/v1/users/{Bob}", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(403, (int)(await bot.GetAsync(new Uri($"/api/v1/users/by_username?api_client_id={Bob}", UriKind.Relative),
            TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(403, (int)(await bot.DeleteAsync(
            new Uri($"/api/v1/users/{Bob}", UriKind.Relative), TestContext.Current.CancellationToken)).StatusCode);
    }

    [Fact]
    public async Task A_deleted_user_has_no_name_and_his_messages_stay()
    {
        var site = await (await shared.FreshAsync()).WithUsersAsync();
        var message = await site.SayAsync(Bob, "stays");

        Assert.Equal(204, (await site.SendAsync("DELETE", $"/users/{Bob}")).Status);

        var bob = await site.GetAsync($"/users/{Bob}");
        Assert.Equal(($"deleted_{Bob}", "Deleted User", true, false), (
            (string?)bob["id"], (string?)bob["display_name"], (bool)bob["deleted"]!, (bool)bob["show_on_leaderboard"]!));
        Assert.Equal("stays", (string?)(await site.GetAsync($"/messages/{message}"))["text"]);
    }

    private static async Task<HttpClient> BotAsync(ReadingSite site)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri("/api/v1/admin/api_client", UriKind.Relative))
        {
            Content = JsonBody("""{"description":"bot","frontend_type":"bot"}"""), Headers = { { "Authorization", "Bearer 1234" } },
        };
        using var made = await site.Host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var key = JsonNode.Parse(await made.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!.GetValue<string>();
        return new() { BaseAddress = site.Host.Client.BaseAddress, DefaultRequestHeaders = { { "X-API-Key", key } } };
    }

    private static StringContent JsonBody(string json) => new(json, System.Text.Encoding.UTF8, "application/json");

    private static string Names(JsonNode users) =>
        string.Join(' ', (users as JsonArray ?? users["items"]!.AsArray()).Select(user => (string)user!["id"]!));

    private static (int, int) Refusal((int Status, JsonNode? Body) answer) => (answer.Status, (int?)answer.Body?["error_code"] ?? -1);
}
