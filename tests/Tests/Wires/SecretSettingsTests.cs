using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Stoa.Assistants.Auth;
using Stoa.Feedback.Auth;
using Stoa.Gateway.Auth;
using Stoa.Host;
using Stoa.Platform.Hosting;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;

namespace Stoa.Tests.Wires;

/// <summary>Secrets that everybody knows stop the start outside Development; names of other systems are read.</summary>
public sealed class SecretSettingsTests
{
    private const string Own = "a secret of the operator's own making";

    [Theory]
    [InlineData("Gateway:Auth:TokenSecret", "secret")]
    [InlineData("Gateway:Auth:ChatbotSecret", "short")]
    [InlineData("Feedback:Auth:OfficialWebApiKey", "1234")]
    [InlineData("Feedback:Auth:RootTokens:0", "1234")]
    [InlineData("Assistants:Auth:TokenSecret", "jwt_secret")]
    [InlineData("Assistants:Auth:SchedulerSecret", "scheduler_secret")]
    [InlineData("Assistants:Auth:BackgroundSecret", "background_secret")]
    [InlineData("Assistants:Auth:BackofficeSecret", "backoffice_secret")]
    [InlineData("Assistants:Auth:WebappSecret", "webapp_secret")]
    [InlineData("Assistants:Auth:PurchaseUpdaterSecret", "purchase_updater_socketio_secret")]
    [InlineData("NextAuth:Secrets:0", "O/M2uIbGj+lDD2oyNa8ax4jEOJqCPJzO53UbWShmq98=")]
    [InlineData("Learning:Auth:Mode", "Open")]
    public async Task Production_does_not_start_with_what_everybody_knows_and_Development_does(string setting, string value)
    {
        var problem = Assert.Single((await Assert.ThrowsAsync<WrongSettingException>(
            async () => await (await BuildAsync("Production", (setting, value))).DisposeAsync())).Problems);
        Assert.Equal(setting, problem.Key);

        await using var development = await BuildAsync("Development", (setting, value));
        Assert.NotNull(development);
    }

    [Fact]
    public async Task The_names_of_other_systems_are_read()
    {
        await using var app = await BuildAsync(
            "Production",
            ("SecretKey", $"{Own} 1"), ("CHATBOTSECRETKEY", $"{Own} 2"), ("PUBLIC_CHATBOT_TOKEN", $"{Own} 3"),
            ("OFFICIAL_WEB_API_KEY", $"{Own} 4"), ("ROOT_TOKENS", $"""["{Own} 5","{Own} 6"]"""),
            ("NEXTAUTH_SECRET", $"{Own} 7"), ("AUTH_SECRET", $"{Own} 8"), ("AUTH_COOKIE_NAME", "site.session"), ("AUTH_INFO", "purpose"),
            ("AUTH_SALT", "salt"), ("GOOGLE_CLIENT_ID", "google"),
            ("AUTH_DISCORD_CLIENT_ID", "discord"), ("AUTH_DISCORD_CLIENT_SECRET", "d"),
            ("JWT_SECRET", $"{Own} 9"), ("ENCODING_ALGORITHM", "HS512"), ("TOKEN_SECRET_SPLITTER", "--"),
            ("MOJODEX_SCHEDULER_SECRET", $"{Own} 10"), ("MOJODEX_BACKGROUND_SECRET", $"{Own} 11"), ("BACKOFFICE_SECRET", $"{Own} 12"),
            ("MOJODEX_WEBAPP_SECRET", $"{Own} 13"), ("PURCHASE_UPDATER_SOCKETIO_SECRET", $"{Own} 14"));

        var gtwy = Of<GtwyAuthOptions>(app);
        Assert.Equal(($"{Own} 1", $"{Own} 2", $"{Own} 3"), (gtwy.TokenSecret, gtwy.ChatbotSecret, gtwy.PublicChatbotSecret));
        Assert.Equal($"{Own} 4", Of<FeedbackAuthOptions>(app).OfficialWebApiKey);
        Assert.Equal([$"{Own} 5", $"{Own} 6"], Of<FeedbackAuthOptions>(app).RootTokens);
        var nextAuth = Of<NextAuthOptions>(app);
        Assert.Equal([$"{Own} 7", $"{Own} 8"], nextAuth.Secrets);
        Assert.Equal(("site.session", "purpose", "salt"), (nextAuth.CookieName, nextAuth.Info, nextAuth.Salt));
        Assert.Equal("google", Of<GoogleOptions>(app).ClientId);
        Assert.Equal(("discord", "d"), (Of<DiscordOptions>(app).ClientId, Of<DiscordOptions>(app).ClientSecret));
        var mojodex = Of<MojodexAuthOptions>(app);
        Assert.Equal(($"{Own} 9", SigningAlgorithm.HS512, "--"), (mojodex.TokenSecret, mojodex.TokenAlgorithm, mojodex.SubjectSplitter));
        Assert.Equal(
            [$"{Own} 10", $"{Own} 11", $"{Own} 12", $"{Own} 13", $"{Own} 14"],
            [mojodex.SchedulerSecret!, mojodex.BackgroundSecret!, mojodex.BackofficeSecret!,
                mojodex.WebappSecret!, mojodex.PurchaseUpdaterSecret!]);
    }

    [Fact]
    public async Task Our_own_name_wins_and_a_shipped_secret_is_refused_under_any_name()
    {
        await using var app = await BuildAsync(
            "Production", ("SecretKey", $"{Own} theirs"), ("Gateway:Auth:TokenSecret", $"{Own} ours"), ("NEXTAUTH_SECRET", $"{Own} theirs"),
            ("NextAuth:Secrets:0", $"{Own} ours"), ("ROOT_TOKENS", "one token, and no list"));

        Assert.Equal($"{Own} ours", Of<GtwyAuthOptions>(app).TokenSecret);
        Assert.Equal([$"{Own} ours"], Of<NextAuthOptions>(app).Secrets);
        Assert.Equal(["one token, and no list"], Of<FeedbackAuthOptions>(app).RootTokens);
        var refused = await Assert.ThrowsAsync<WrongSettingException>(
            async () => await (await BuildAsync("Production", ("ROOT_TOKENS", """["1234"]"""))).DisposeAsync());
        Assert.Equal("environment variable ROOT_TOKENS", Assert.Single(refused.Problems).Source);
    }

    [Fact]
    public async Task Secrets_are_masked_where_settings_are_shown()
    {
        await using var app =
            await BuildAsync("Production", ("ROOT_TOKENS", Own), ("NEXTAUTH_SECRET", Own), ("SecretKey", Own), ("JWT_SECRET", Own),
            ("OFFICIAL_WEB_API_KEY", Own), ("MOJODEX_SCHEDULER_SECRET", Own), ("AUTH_DISCORD_CLIENT_SECRET", Own),
            ("AUTH_DISCORD_CLIENT_ID", "1"));

        Assert.DoesNotContain(EffectiveSettings.List(app.Services), setting => setting.Value.Contains(Own, StringComparison.Ordinal));
    }

    private static T Of<T>(Microsoft.AspNetCore.Builder.WebApplication app)
        where T : class => app.Services.GetRequiredService<IOptions<T>>().Value;

    private static Task<Microsoft.AspNetCore.Builder.WebApplication> BuildAsync(
        string environment, params (string Key, string Value)[] settings) =>
        App.BuildAsync(
            ["--environment", environment], settings.Select(setting => KeyValuePair.Create(setting.Key, (string?)setting.Value)));
}
