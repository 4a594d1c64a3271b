using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Host;
using Stoa.Platform;
using Stoa.Platform.Hosting;

namespace Stoa.Tests.Host;

public sealed class SettingsTests
{
    [Theory]
    [InlineData("Stoa:DrainSeconds", "soon", "Stoa:DrainSeconds must be a whole number")]
    [InlineData("Stoa:DrainSeconds", "0", "Stoa:DrainSeconds must be between 1 and 3600")]
    [InlineData("Stoa:Role", "boss", "Stoa:Role must be one of api, worker, all")]
    [InlineData("Stoa:DrianSeconds", "5", "Stoa:DrianSeconds is not a setting; did you mean Stoa:DrainSeconds?")]
    [InlineData("Stoa:KnownProxies", "10.0.0.1", "Stoa:KnownProxies must be a list or a table")]
    [InlineData("Stoa:KnownProxies:0", "proxy", "Stoa:KnownProxies:0 must be an IP address or a network")]
    [InlineData("Stoa:CorsOrigins:0", "*", "Stoa:CorsOrigins:0 must be an origin")]
    [InlineData("Stoa:InternalUrls", "8081", "Stoa:InternalUrls must be addresses")]
    [InlineData("Stoa:DataDirectory", "", "Stoa:DataDirectory is required")]
    [InlineData("urls", "https://127.0.0.1:0", "urls must be http")]
    [InlineData("Discord:ClientId", "app", "Discord:ClientSecret must be set where ClientId is")]
    [InlineData("Discord:ClientSecret", "secret", "Discord:ClientId must be set where ClientSecret or SignUp is")]
    [InlineData("Discord:SignUp", "true", "Discord:ClientId must be set where ClientSecret or SignUp is")]
    [InlineData("Google:ClientSecret", "secret", "Google:ClientId must be set where ClientSecret or SignUp is")]
    [InlineData("Sample:Parts:a:Size", "9", "Sample:Parts:a:Size must be between 1 and 5")]
    [InlineData("Sample:Parts:a:Sice", "3", "Sample:Parts:a:Sice is not a setting")]
    [InlineData("Sample:Colour", "blue", "Sample:Colour must be green")]
    public async Task A_wrong_setting_stops_the_start_with_its_key_and_its_rule(string key, string value, string expected)
    {
        var wrong = await Assert.ThrowsAsync<WrongSettingException>(() => BuildAsync(new() { [key] = value }));

        Assert.StartsWith(expected, wrong.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', wrong.Message);
    }

    [Fact]
    public async Task The_line_names_the_command_line_as_the_source()
    {
        var wrong = await Assert.ThrowsAsync<WrongSettingException>(() => App.BuildAsync(["--Stoa:MaxBodyMb=none"]));

        Assert.Equal("Stoa:MaxBodyMb must be a whole number (from command line)", wrong.Message);
    }

    [Fact]
    public async Task All_wrong_settings_are_known_at_once()
    {
        var wrong = await Assert.ThrowsAsync<WrongSettingException>(
            () => BuildAsync(new() { ["Sample:Parts:a:Sice"] = "1", ["Sample:Parts:b:Size"] = "x" }));

        Assert.Equal(
            ["Sample:Parts:a:Sice", "Sample:Parts:b:Size"], wrong.Problems.Select(problem => problem.Key).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Effective_settings_are_listed_with_their_source_and_without_secrets()
    {
        await using var app = await BuildAsync(new() { ["Sample:Parts:a:ApiKey"] = "hidden" });

        var settings = EffectiveSettings.List(app.Services).ToDictionary(setting => setting.Key, StringComparer.Ordinal);

        Assert.Equal("********", settings["Sample:Parts:a:ApiKey"].Value);
        Assert.Equal(("30", "default"), (settings["Stoa:DrainSeconds"].Value, settings["Stoa:DrainSeconds"].Source));
    }

    [Theory]
    [InlineData("Storage:SecretKey", true)]
    [InlineData("Assistants:Push:ServiceAccount", true)]
    [InlineData("Notifications:Slack:Webhook", true)]
    [InlineData("Stoa:KeysDirectory", false)]
    public void What_holds_a_key_is_not_shown(string key, bool secret) => Assert.Equal(secret, SettingSource.IsSecret(key));

    private static Task<WebApplication> BuildAsync(
        Dictionary<string, string?> settings, string environment = "Development", Action<WebApplicationBuilder>? add = null) =>
        App.BuildAsync(["--environment", environment], settings, builder =>
        {
            builder.Services.AddSettings<Sample>("Sample").Validate(sample => sample.Colour == "green", "Colour must be green");
            add?.Invoke(builder);
        });

    private sealed class Sample
    {
        public string Colour { get; set; } = "green";

        public string? Key { get; set; }

        public Dictionary<string, Part> Parts { get; set; } = [];
    }

    private sealed class Part
    {
        [System.ComponentModel.DataAnnotations.Range(1, 5)]
        public int Size { get; set; } = 1;

        public string? ApiKey { get; set; }
    }
}
