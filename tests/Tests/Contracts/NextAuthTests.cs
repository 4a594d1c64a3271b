using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Stoa.Platform.Identity;
using Stoa.Platform.Identity.Jose;
using Stoa.Tests.Support;

namespace Stoa.Tests.Contracts;

/// <summary>Cookies made by the npm package itself are read, and it reads what we encrypt.</summary>
public sealed class NextAuthTests(NextAuthTests.Package package) : IClassFixture<NextAuthTests.Package>
{
    private const string Secret = "the secret that both sides know, in this test";
    private const string OldSecret = "the secret before it was rotated";

    private static readonly NextAuthOptions Options = new() { Secrets = [Secret, OldSecret] };

    private readonly NextAuthSessions sessions = new(Microsoft.Extensions.Options.Options.Create(Options), TimeProvider.System);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(2, 3)]
    [InlineData(3, 3)]
    public void Its_cookies_are_read_whole_or_in_parts_and_with_each_secret(int which, int parts)
    {
        var cookies = CookiesOf(which);

        var claims = sessions.Read(sessions.TokenIn(Request(cookies))!);

        Assert.Equal(parts, cookies.Count);
        Assert.Equal("ada@example.org", claims!.Text("email"));
        Assert.Equal(7, claims.All.GetProperty("userId").GetInt32());
        Assert.Equal(parts == 1 ? "Ädä 東京" : null, claims.Text("name"));
    }

    [Fact]
    public void The_order_of_the_parts_does_not_matter()
    {
        var cookies = CookiesOf(2);
        cookies.Reverse();

        Assert.NotNull(sessions.Read(sessions.TokenIn(Request(cookies))!));
    }

    [Fact]
    public void A_missing_part_opens_nothing()
    {
        var cookies = CookiesOf(2);

        Assert.All(Enumerable.Range(0, cookies.Count), missing =>
        {
            var token = sessions.TokenIn(Request([.. cookies.Where((_, index) => index != missing)]));
            Assert.True(token is null || sessions.Read(token) is null);
        });
    }

    [Fact]
    public void The_cookie_that_only_https_can_set_comes_first() =>
        Assert.Equal((string?)Made(1)["token"], sessions.TokenIn(Request([.. CookiesOf(0), .. CookiesOf(1)])));

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    public void Another_sites_session_and_one_that_is_over_open_nothing(int which) =>
        Assert.Null(sessions.Read(sessions.TokenIn(Request(CookiesOf(which)))!));

    [Fact]
    public void It_reads_what_we_encrypt() => Assert.Equal(8, (int?)Made(6)["claims"]!["userId"]);

    [Fact]
    public void Without_a_secret_no_session_is_accepted()
    {
        var none = new NextAuthSessions(Microsoft.Extensions.Options.Options.Create(new NextAuthOptions()), TimeProvider.System);

        Assert.Null(none.Read((string)Made(0)["token"]!));
    }

    private JsonNode Made(int which)
    {
        Assert.SkipUnless(package.Made.Length > 0, "The npm clients are not installed: run 'npm ci' in tests/Contracts.");
        return package.Made[which];
    }

    private List<(string Name, string Value)> CookiesOf(int which) =>
        [.. Made(which)["cookies"]!.AsArray().Select(cookie => ((string)cookie!["name"]!, (string)cookie["value"]!))];

    private static HttpRequest Request(List<(string Name, string Value)> cookies)
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Cookie = string.Join("; ", cookies.Select(cookie => $"{cookie.Name}={cookie.Value}"));
        return context.Request;
    }

    /// <summary>What the package makes of what it is asked; asked once for all tests.</summary>
    public sealed class Package : IAsyncLifetime
    {
        internal JsonNode[] Made { get; private set; } = [];

        private static string Folder => Path.Combine(Repository.Root, "tests", "Contracts");

        public async ValueTask InitializeAsync()
        {
            if (!Directory.Exists(Path.Combine(Folder, "node_modules", "next-auth")))
            {
                return;
            }
            var claims = new { userId = 7, email = "ada@example.org", name = "Ädä 東京" };
            var large = new { userId = 7, email = "ada@example.org", accessToken = new string('x', 7000) };
            Made = await RunAsync(
                new { secret = Secret, claims, secure = false },
                new { secret = Secret, claims, secure = true },
                new { secret = Secret, claims = large, secure = false },
                new { secret = OldSecret, claims = large, secure = true },
                new { secret = "somebody else's secret", claims, secure = false },
                new { secret = Secret, claims, maxAge = -16, secure = false },
                new { secret = Secret,
                    token = Jwe.Encrypt("{\"userId\":8,\"exp\":4102444800}"u8, NextAuthSessions.KeyOf(Secret, Options)) });
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;

        private static async Task<JsonNode[]> RunAsync(params object[] asked)
        {
            var start = new ProcessStartInfo("node", ["next-auth.mjs"])
            {
                WorkingDirectory = Folder,
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = Encoding.UTF8,
                StandardInputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false),
            };
            using var node = Process.Start(start) ?? throw new InvalidOperationException("node could not be started.");
            var complaints = node.StandardError.ReadToEndAsync();
            var answers = node.StandardOutput.ReadToEndAsync();
            await node.StandardInput.WriteAsync(JsonSerializer.Serialize(asked, JsonSerializerOptions.Web));
            node.StandardInput.Close();
            await node.WaitForExitAsync();
            Assert.True(node.ExitCode == 0, await complaints);
            return [.. (await answers).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
        }
    }
}
