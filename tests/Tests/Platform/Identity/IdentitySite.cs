using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

/// <summary>A real host over a database of its own, with an owner who has set it up, and the ways of people into it.</summary>
internal sealed class IdentitySite(HostUnderTest host) : IAsyncDisposable
{
    public const string OwnerEmail = "owner@example.org";
    public const string Password = "correct horse battery";

    private static readonly Dictionary<string, string?> Cheap = new(StringComparer.OrdinalIgnoreCase)
    {
        ["People:ErasureGraceDays"] = "0",
    };

    public IServiceProvider Services => host.Services;

    public Uri Address => host.Client.BaseAddress!;

    public HttpClient Anonymous => host.Client;

    public string Database => host.ConnectionString;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="database">Null for one of its own.</param>
    public static async Task<IdentitySite> StartAsync(string? database = null, Dictionary<string, string?>? settings = null)
    {
        var all = new Dictionary<string, string?>(Cheap, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, value) in settings ?? [])
        {
            all[key] = value;
        }
        if (database is not null)
        {
            all["ConnectionStrings:Stoa"] = database;
        }
        return new(await HostUnderTest.StartAsync(all));
    }

    public Browser Browser() => new(Address);

    public async Task<string> SetupTokenAsync() => (await Services.GetRequiredService<FirstRun>().CreateTokenAsync(Ct))!;

    /// <summary>Sets the installation up; the browser is the owner's.</summary>
    public async Task<Browser> SetUpAsync()
    {
        var browser = Browser();
        var done = await SetUpAsync(browser, await SetupTokenAsync());
        Assert.Equal(HttpStatusCode.OK, done.Status);
        return browser;
    }

    public static Task<Browser.Page> SetUpAsync(Browser browser, string token, string email = OwnerEmail) => browser.SendAsync(
        "/setup", ("token", token), ("organization", "Agora"), ("name", "Zeno"), ("email", email), ("password", Password));

    /// <summary>The token of a new invitation into the organization of <paramref name="admin"/>.</summary>
    public static async Task<string> InviteAsync(Browser admin, string email, string role = "member")
    {
        using var answer = await admin.CallAsync(HttpMethod.Post, "/api/stoa/invitations", new { email, role });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        return (string)(await ReadAsync(answer))["token"]!;
    }

    /// <summary>Somebody who makes an account by an invitation.</summary>
    public async Task<Browser> JoinAsync(Browser admin, string email, string role = "member")
    {
        var browser = Browser();
        var token = await InviteAsync(admin, email, role);
        var joined = await browser.SendAsync("/invitation/join", ("token", token), ("name", email.Split('@')[0]), ("password", Password));
        Assert.Equal(HttpStatusCode.Found, joined.Status);
        return browser;
    }

    /// <summary>A browser with the same cookies at this host.</summary>
    public Browser Borrow(Browser other)
    {
        var browser = Browser();
        browser.Cookies.Add(other.Cookies.GetAllCookies());
        return browser;
    }

    public static async Task<JsonNode> GetAsync(Browser browser, string path)
    {
        using var answer = await browser.CallAsync(HttpMethod.Get, path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await ReadAsync(answer);
    }

    public static async Task<HttpStatusCode> StatusAsync(Browser browser, HttpMethod method, string path, object? body = null)
    {
        using var answer = await browser.CallAsync(method, path, body);
        return answer.StatusCode;
    }

    /// <summary>The code of a refusal.</summary>
    public static async Task<string?> CodeAsync(Browser browser, HttpMethod method, string path, object? body = null)
    {
        using var answer = await browser.CallAsync(method, path, body);
        Assert.False(answer.IsSuccessStatusCode);
        return (string?)(await ReadAsync(answer))["code"];
    }

    public static async Task<string> PersonIdAsync(Browser browser) => (string)(await GetAsync(browser, "/api/stoa/me"))["person"]!["id"]!;

    public static async Task<JsonNode> ReadAsync(HttpResponseMessage answer) => (await answer.Content.ReadFromJsonAsync<JsonNode>(Ct))!;

    public static async Task Until(Func<Task<bool>> isSo)
    {
        while (!await isSo())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);
        }
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();
}

/// <summary>
/// One installation, set up, for the tests of a class that stand side by side: each brings people, organizations and addresses of its own.
/// </summary>
public class SharedIdentitySite : IAsyncLifetime
{
    private int last;

    internal IdentitySite Site { get; private set; } = null!;

    /// <summary>Who has set it up; whatever changes him or what his session acts for is done by another owner.</summary>
    internal Browser Owner { get; private set; } = null!;

    /// <summary>How long whoever wants to be erased may think again.</summary>
    protected virtual int ErasureGraceDays => 0;

    /// <summary>A number that no other test has.</summary>
    internal int Next() => Interlocked.Increment(ref last);

    /// <summary>An owner of the installation that only this test has.</summary>
    internal Task<Browser> OwnerAsync(string email) => Site.JoinAsync(Owner, email, "owner");

    public async ValueTask InitializeAsync()
    {
        Site = await IdentitySite.StartAsync(
            settings: new(StringComparer.OrdinalIgnoreCase) { ["People:ErasureGraceDays"] = $"{ErasureGraceDays}" });
        Owner = await Site.SetUpAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Owner.Dispose();
        await Site.DisposeAsync();
    }
}
