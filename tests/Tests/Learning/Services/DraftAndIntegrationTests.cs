using System.Text.Json.Nodes;
using static Stoa.Tests.Learning.ServicesSite;

namespace Stoa.Tests.Learning.Services;

/// <summary>What belongs to one person alone: drafts in code and integrations; and the one school with a page of its own.</summary>
public sealed class DraftAndIntegrationTests(SharedServicesSite shared) : IClassFixture<SharedServicesSite>
{
    private readonly ServicesSite site = shared.Site;

    private static string DraftOf(int user) => $"/code/user/{user}/question/{Question}";

    [Fact]
    public async Task A_draft_is_kept_overwritten_and_dropped()
    {
        var none = await site.AskAsync("GET", DraftOf(Pupil), Pupil);
        var saved = await SaveAsync(Pupil, Pupil, "print(41)");
        await SaveAsync(Pupil, Pupil, "print(42)");
        var (_, draft) = await site.AskAsync("GET", DraftOf(Pupil), Pupil);
        var dropped = await site.AskAsync("DELETE", DraftOf(Pupil), Pupil);
        using var gone = await site.SendAsync("GET", DraftOf(Pupil), Pupil);

        Assert.Equal(200, none.Status);
        Assert.Null(none.Body);
        Assert.Equal((200, true), (saved.Status, (bool)saved.Body!["success"]!));
        Assert.Equal("""[{"language":"python","value":"print(42)"}]""", draft!["code"]!.ToJsonString());
        Assert.True((int)draft["id"]! > 0);
        Assert.Equal(200, dropped.Status);
        Assert.Equal("null", await gone.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Ids_may_be_texts_as_the_front_end_sends_them()
    {
        var body = new { user_id = $"{Other}", question_id = "1", code = new[] { new { language = "sql", value = "select 1" } } };

        Assert.Equal(200, await site.StatusAsync("POST", "/code/", Other, body));
    }

    [Fact]
    public async Task Nobody_reads_writes_or_drops_anothers_draft()
    {
        await SaveAsync(Mentor, Mentor, "mine");
        foreach (var user in (int[])[Owner, Admin, Pupil, Elsewhere, Outsider])
        {
            Assert.Equal((403, 403, 403),
                (await site.StatusAsync("GET", DraftOf(Mentor), user), (await SaveAsync(user, Mentor, "forged")).Status,
                    await site.StatusAsync("DELETE", DraftOf(Mentor), user)));
        }
        Assert.Equal((401, 401, 401),
            (await site.StatusAsync("GET", DraftOf(Mentor), null), (await SaveAsync(null, Mentor, "forged")).Status,
                await site.StatusAsync("DELETE", DraftOf(Mentor), null)));
        var (_, draft) = await site.AskAsync("GET", DraftOf(Mentor), Mentor);

        Assert.Equal("mine", (string?)draft!["code"]![0]!["value"]);
    }

    [Fact]
    public async Task A_draft_is_for_a_question_that_one_is_asked()
    {
        Assert.Equal(403, (await SaveAsync(Outsider, Outsider, "x")).Status);
        var unknown = new { user_id = Pupil, question_id = 999, code = Array.Empty<object>() };

        Assert.Equal((404, "Question not found"), await DetailAsync("POST", "/code/", Pupil, unknown));
        Assert.Equal(422, await site.StatusAsync("GET", "/code/user/x/question/1", Pupil));
        Assert.Equal(422, await site.StatusAsync("POST", "/code/", Pupil, new { user_id = Pupil, question_id = Question }));
    }

    [Fact]
    public async Task What_cannot_be_read_is_told_in_few_words_however_much_it_is()
    {
        var large = new { user_id = Pupil, question_id = Question, code = new string('x', 1 << 20) };
        var many = new { user_id = Pupil, question_id = Question, code = Enumerable.Repeat(1, 10_000) };
        using var broken =
            new ByteArrayContent([.. "{\"user_id\":\""u8, 0xC3, 0x28, .. "\"}"u8]) { Headers = { ContentType = new("application/json") } };

        foreach (var (body, content) in ((object?, HttpContent?)[])[(large, null), (many, null), (null, broken)])
        {
            using var answer = await site.SendAsync("POST", "/code/", Pupil, body, content);
            Assert.Equal(422, (int)answer.StatusCode);
            Assert.InRange((await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, 1, 50_000);
        }
    }

    [Fact]
    public async Task An_integration_is_sealed_where_it_lies_and_read_by_its_owner()
    {
        var (status, made) = await ConnectAsync(Pupil, "notion", "secret-token", "2099-01-01T00:00:00Z");
        var id = (int)made!["id"]!;
        var again = await ConnectAsync(Pupil, "notion", "newer-token", null);
        var (_, one) = await site.AskAsync("GET", $"/integrations/{id}", Pupil);
        var (_, list) = await site.AskAsync("GET", $"/integrations/?user_id={Pupil}", Pupil);
        var (_, mine) = await site.AskAsync("GET", "/integrations/", Pupil);
        var stored = await site.ReadAsync<string>(
            "select encode(access_token, 'escape') from learning.integrations where integration_type = 'notion'");

        Assert.Equal((200, "2099-01-01T00:00:00Z"), (status, (string?)made["expires_at"]));
        Assert.Equal((id, "newer-token", null), ((int)again.Body!["id"]!, (string?)one!["access_token"], (string?)one["expires_at"]));
        Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$", (string)one["created_at"]!);
        Assert.Equal(one.ToJsonString(), Assert.Single(list!.AsArray())!.ToJsonString());
        Assert.Equal(list.ToJsonString(), mine!.ToJsonString());
        Assert.DoesNotContain("token", stored, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_integration_is_renewed_in_part_and_disconnected()
    {
        var (_, made) = await ConnectAsync(Other, "notion", "first", null);
        var path = $"/integrations/{(int)made!["id"]!}";
        var (updated, renewed) = await site.AskAsync("PUT", path, Other, new { refresh_token = "refresh", access_token = (string?)null });
        var deleted = await site.StatusAsync("DELETE", path, Other);
        await ConnectAsync(Other, "notion", "second", null);
        var byName = await site.StatusAsync("DELETE", "/integrations/", Other, new { user_id = Other, integration_type = "notion" });

        Assert.Equal((200, "first", "refresh"), (updated, (string?)renewed!["access_token"], (string?)renewed["refresh_token"]));
        Assert.Equal((200, 200), (deleted, byName));
        Assert.Equal((404, "Integration not found"), await DetailAsync("GET", path, Other));
        Assert.Equal((404, "Integration not found or not updated"), await DetailAsync("PUT", path, Other, new { }));
        Assert.Equal((404, "Integration not found or not deleted"), await DetailAsync("DELETE", path, Other));
        Assert.Equal(0L, await site.ReadAsync<long>($"select count(*) from learning.integrations where user_id = {Other}"));
    }

    [Fact]
    public async Task Nobody_sees_or_changes_anothers_integration()
    {
        var (_, made) = await ConnectAsync(Elsewhere, "notion", "mine", null);
        var path = $"/integrations/{(int)made!["id"]!}";
        foreach (var user in (int[])[Owner, Admin, Mentor, Pupil, Outsider])
        {
            Assert.Equal((404, 404, 404, 403, 403, 403),
                (await site.StatusAsync("GET", path, user), await site.StatusAsync("PUT", path, user, new { access_token = "forged" }),
                    await site.StatusAsync("DELETE", path, user),
                    await site.StatusAsync("GET", $"/integrations/?user_id={Elsewhere}", user),
                    await site.StatusAsync("POST", "/integrations/", user, Tokens(Elsewhere, "notion", "forged", null)),
                    await site.StatusAsync("DELETE", "/integrations/", user, new { user_id = Elsewhere, integration_type = "notion" })));
        }
        Assert.Equal(401, await site.StatusAsync("GET", "/integrations/", null));
        var (_, one) = await site.AskAsync("GET", path, Elsewhere);

        Assert.Equal("mine", (string?)one!["access_token"]);
    }

    [Fact]
    public async Task The_one_school_is_found_by_its_name()
    {
        await using var named = await StartAsync(new() { ["Learning:Hva:OrganizationName"] = "School One" });

        Assert.Equal("1", (await named.AskAsync("GET", "/hva/org_id", Outsider)).Body!.ToJsonString());
        Assert.True((bool)(await named.AskAsync("GET", $"/hva/is_user_hva_learner?user_id={Pupil}", Pupil)).Body!);
        Assert.False((bool)(await named.AskAsync("GET", $"/hva/is_user_hva_learner?user_id={Mentor}", Mentor)).Body!);
        Assert.Equal(403, await named.StatusAsync("GET", $"/hva/is_user_hva_learner?user_id={Pupil}", Mentor));
        Assert.Equal(401, await named.StatusAsync("GET", "/hva/org_id", null));
        using var other = await site.SendAsync("GET", "/hva/org_id", Pupil);
        Assert.Equal((200, "null"), ((int)other.StatusCode, await other.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    [Fact]
    public async Task Health_is_answered_to_everybody()
    {
        var (status, body) = await site.AskAsync("GET", "/health", null);

        Assert.Equal((200, """{"status":"ok"}"""), (status, body!.ToJsonString()));
        Assert.Equal(200, await site.StatusAsync("HEAD", "/health", null));
    }

    private Task<(int Status, JsonNode? Body)> SaveAsync(int? user, int owner, string code) => site.AskAsync(
        "POST", "/code/", user,
        new { user_id = owner, question_id = Question, code = new[] { new { language = "python", value = code } } });

    private Task<(int Status, JsonNode? Body)> ConnectAsync(int user, string type, string token, string? expiresAt) =>
        site.AskAsync("POST", "/integrations/", user, Tokens(user, type, token, expiresAt));

    private static object Tokens(int user, string type, string token, string? expiresAt) =>
        new { user_id = user, integration_type = type, access_token = token, expires_at = expiresAt };

    private async Task<(int, string?)> DetailAsync(string method, string path, int user, object? body = null)
    {
        var (status, answer) = await site.AskAsync(method, path, user, body);
        return (status, (string?)answer!["detail"]);
    }
}
