using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Gateway.Completions;

/// <summary>Which model the other modules ask where nobody has named one that is there.</summary>
public sealed class UsualModelTests
{
    [Theory]
    [InlineData("demo/demo")]
    [InlineData("main/gpt-4o-mini", "Gateway:Providers:main:Kind=openai")]
    [InlineData("main/claude-3-7-sonnet-latest", "Gateway:Providers:main:Kind=anthropic")]
    [InlineData("main/small", "Gateway:Providers:main:Kind=ollama", "Gateway:Providers:main:Models:0=small")]
    [InlineData("main/gemini-2.5-flash", "Gateway:Providers:ears:Kind=deepgram", "Gateway:Providers:main:Kind=gemini")]
    [InlineData("demo/demo", "Gateway:Providers:main:Kind=vllm")]
    public async Task It_is_one_of_a_real_provider_where_there_is_one(string expected, params string[] settings)
    {
        await using var host =
            await HostUnderTest.StartAsync(settings.Select(one => one.Split('=')).ToDictionary(pair => pair[0], pair => (string?)pair[1]));
        var models = host.Services.GetRequiredService<IModels>();

        Assert.Equal(expected, models.Pick(Organization.DefaultId, "nowhere/nothing"));
        Assert.Equal("demo/demo", models.Pick(Organization.DefaultId, "nowhere/nothing", "demo/demo"));
    }

    [Fact]
    public async Task The_first_page_shows_a_request_that_a_real_provider_answers()
    {
        await using var host = await HostUnderTest.StartAsync(new() { ["Gateway:Providers:main:Kind"] = "openai" });
        using var browser = new Browser(host.Client.BaseAddress!);
        await browser.SignInAsync(DevelopmentKey.Token);

        var page = await browser.GetAsync("/");

        Assert.Contains("\"model\": \"main/gpt-4o-mini\"", page.Text, StringComparison.Ordinal);
    }
}
