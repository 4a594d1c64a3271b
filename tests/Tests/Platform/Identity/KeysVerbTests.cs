using System.CommandLine;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Host.Verbs;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

public sealed class KeysVerbTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_creates_lists_rotates_and_revokes()
    {
        var (code, token, about) = await Run(
            "create", "--name", "web", "--organization", "acme", "--new-organization", "--models", "a/b,c/d",
            "--rpm", "60", "--expires", "2999-01-31");
        Assert.Equal(0, code);
        var prefix = KeyToken.PrefixOf(token.Trim()).ToString();
        Assert.Contains("ends 2999-01-31 00:00Z", about, StringComparison.Ordinal);

        var row = (await new KeyStore(database.Source, TimeProvider.System).FindAsync(prefix, Ct))!;
        Assert.Equal(["a/b", "c/d"], row.Models!);
        Assert.Contains($"{prefix}  {row.Id}  web", (await Run("list", "--organization", "acme")).Output, StringComparison.Ordinal);

        Assert.Equal(0, (await Run("rotate", prefix, "--overlap-minutes", "5")).Code);
        Assert.Equal($"{prefix} is revoked", (await Run("revoke", prefix)).Output.Trim());
        Assert.Equal($"{prefix} was revoked before", (await Run("revoke", row.Id.ToString())).Output.Trim());
    }

    [Theory]
    [InlineData("create", "--name", "a", "--organization", "nobody")]
    [InlineData("create", "--name", "a", "--rpm", "0")]
    [InlineData("create", "--name", "a", "--expires", "soon")]
    [InlineData("create")]
    [InlineData("list", "--organization", "nobody")]
    [InlineData("revoke", "unknown")]
    [InlineData("rotate", "unknown")]
    public async Task What_cannot_be_done_is_told(params string[] arguments)
    {
        var (code, output, error) = await Run(arguments);
        Assert.NotEqual(0, code);
        Assert.DoesNotContain("stoa_", output, StringComparison.Ordinal);
        Assert.NotEqual("", error);
    }

    private async Task<(int Code, string Output, string Error)> Run(params string[] arguments)
    {
        await using var services = new ServiceCollection()
            .AddSingleton(database.Source).AddSingleton(TimeProvider.System).AddSingleton<KeyStore>().BuildServiceProvider();
        using var output = new StringWriter();
        using var error = new StringWriter();
        var root = new RootCommand { KeysVerb.Create((work, ct) => work(services, ct)) };
        var code = await root.Parse(["keys", .. arguments]).InvokeAsync(new() { Output = output, Error = error }, Ct);
        return (code, output.ToString(), error.ToString());
    }
}
