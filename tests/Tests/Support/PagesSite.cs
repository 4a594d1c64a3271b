using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Support;

/// <summary>The real host over a database of its own, and browsers to look at it.</summary>
internal sealed class PagesSite(HostUnderTest host) : IAsyncDisposable
{
    public IServiceProvider Services => host.Services;

    public Uri Address => host.Client.BaseAddress!;

    public static async Task<PagesSite> StartAsync(
        string database, Dictionary<string, string?>? settings = null, Action<Microsoft.AspNetCore.Builder.WebApplication>? map = null)
    {
        var host = await HostUnderTest.StartAsync(
            new(settings ?? [], StringComparer.OrdinalIgnoreCase) { ["ConnectionStrings:Stoa"] = database }, map: map);
        return new(host);
    }

    public Browser Browser() => new(Address);

    /// <summary>A browser whose owner has signed in.</summary>
    public async Task<Browser> BrowserAsync(string key)
    {
        var browser = Browser();
        var answer = await browser.SignInAsync(key);
        Assert.Equal(System.Net.HttpStatusCode.Found, answer.Status);
        return browser;
    }

    public async Task<NewKey> CreateKeyAsync(KeyTerms terms)
    {
        var key = await Services.GetRequiredService<KeyStore>()
            .CreateAsync(Organization.DefaultId, terms, "test", TestContext.Current.CancellationToken);
        await ReloadKeysAsync();
        return key;
    }

    /// <summary>What a host does when it hears that keys have changed.</summary>
    public Task ReloadKeysAsync() => Services.GetRequiredService<KeyRingSync>().ReloadAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => host.DisposeAsync();
}
