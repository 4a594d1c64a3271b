using Microsoft.Extensions.DependencyInjection;
using Stoa.Assistants.Auth;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Tests.Wires;

public sealed class MojodexAccessTests(WireHost host) : IClassFixture<WireHost>
{
    private const string User = "/assistants/probe/user";
    private const string Scheduler = "/assistants/probe/scheduler";
    private const string Either = "/assistants/probe/either";
    private const string Background = "/background/probe";
    private const string WrongSecret = """{"error":"Authentication error : Wrong secret"}""";
    private const string InvalidToken = """{"error":"Invalid token."}""";

    private readonly WireSite site = host.Site;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_user_is_what_stands_before_the_splitter() =>
        Assert.Equal((200, "0123456789abcdef"), await site.GetAsync(User, ("Authorization", WireSite.MojodexToken())));

    [Fact]
    public async Task What_we_issue_is_taken_each_token_is_its_own_and_a_sign_out_ends_it()
    {
        var tokens = site.Host.Services.GetRequiredService<MojodexTokens>();
        var (one, two) = (tokens.Issue("u1"), tokens.Issue("u1"));
        Assert.NotEqual(one, two);
        Assert.Equal((200, "u1"), await site.GetAsync(User, ("Authorization", one)));

        await site.Host.Services.GetRequiredService<SpentTokens>().SpendAsync(one, end: null, Ct);

        Assert.Equal((403, """{"error":"Token expired."}"""), await site.GetAsync(User, ("Authorization", one)));
        Assert.Equal((200, "u1"), await site.GetAsync(User, ("Authorization", two)));
    }

    [Fact]
    public async Task The_refusals_of_users_are_the_wires_own()
    {
        Assert.Equal((403, """{"error":"Authorization key required"}"""), await site.GetAsync(User));
        Assert.Equal(
            (403, """{"error":"Token expired."}"""), await site.GetAsync(User, ("Authorization", WireSite.MojodexToken(lifetime: -60))));
        Assert.Equal((403, InvalidToken), await site.GetAsync(User, ("Authorization", "x")));
        Assert.Equal((403, InvalidToken), await site.GetAsync(User, ("Authorization", "")));
        Assert.Equal(
            (403, InvalidToken), await site.GetAsync(User, ("Authorization", WireSite.MojodexToken(WireSite.GtwySecret, lifetime: -60))));
        Assert.Equal((403, InvalidToken), await site.GetAsync(User, ("Authorization", WireSite.SchedulerSecret)));
        Assert.Equal((403, InvalidToken), await site.GetAsync(
            User, ("Authorization", WireSite.Sign(new() { ["sub"] = "no splitter" }, WireSite.MojodexSecret))));
        Assert.Equal((403, InvalidToken), await site.GetAsync(
            User, ("Authorization", WireSite.Sign(new() { ["sub"] = "__mojodex__nobody" }, WireSite.MojodexSecret))));
        Assert.Equal((403, InvalidToken), await site.GetAsync(
            User, ("Authorization",
                Jwt.Create(new() { ["sub"] = "u__mojodex__x" }, SigningKey.Hmac(SigningAlgorithm.HS256, WireSite.MojodexSecret)))));
    }

    [Fact]
    public async Task A_service_has_its_own_secret()
    {
        Assert.Equal((200, "Scheduler"), await site.GetAsync(Scheduler, ("Authorization", WireSite.SchedulerSecret)));
        Assert.Equal((403, """{"error":"Missing Authorization secret in headers"}"""), await site.GetAsync(Scheduler));
        Assert.Equal((403, WrongSecret), await site.GetAsync(Scheduler, ("Authorization", WireSite.BackgroundSecret)));
        Assert.Equal((403, WrongSecret), await site.GetAsync(Scheduler, ("Authorization", WireSite.SchedulerSecret + "x")));
        Assert.Equal((403, WrongSecret), await site.GetAsync(Scheduler, ("Authorization", "")));
        Assert.Equal((403, WrongSecret), await site.GetAsync(Scheduler, ("Authorization", WireSite.MojodexToken())));
    }

    [Fact]
    public async Task Some_routes_take_a_service_or_a_user()
    {
        Assert.Equal((200, "Scheduler"), await site.GetAsync(Either, ("Authorization", WireSite.SchedulerSecret)));
        Assert.Equal((200, "0123456789abcdef"), await site.GetAsync(Either, ("Authorization", WireSite.MojodexToken())));
        Assert.Equal((403, """{"error":"Authorization key required"}"""), await site.GetAsync(Either));
        // The web application's secret is not set: an empty one does not match it.
        Assert.Equal((403, InvalidToken), await site.GetAsync(Either, ("Authorization", "")));
    }

    [Fact]
    public async Task The_background_exists_on_the_internal_listener_only_and_refuses_a_wrong_secret()
    {
        Assert.Equal((200, "Background"), await site.SendAsync(HttpMethod.Get, Background, [], isInternal: true));
        Assert.Equal(
            (200, "Background"),
            await site.SendAsync(HttpMethod.Get, Background, [("Authorization", WireSite.BackgroundSecret)], isInternal: true));
        Assert.Equal((403, WrongSecret), await site.SendAsync(HttpMethod.Get, Background, [("Authorization", "x")], isInternal: true));
        Assert.Equal((404, """{"error":"Not found"}"""), await site.GetAsync(Background, ("Authorization", WireSite.BackgroundSecret)));
    }
}
