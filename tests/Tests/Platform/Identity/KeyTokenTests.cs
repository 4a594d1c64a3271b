using System.Text.RegularExpressions;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Platform.Identity;

public sealed partial class KeyTokenTests
{
    [Fact]
    public void A_token_has_a_public_prefix_and_a_secret_of_256_bits()
    {
        var (token, prefix) = KeyToken.Create();
        Assert.Matches(Shape(), token);
        Assert.Equal(prefix, KeyToken.PrefixOf(token).ToString());
        Assert.True(token.Length <= KeyToken.MaxLength);
    }

    [Fact]
    public void No_two_tokens_are_alike() =>
        Assert.Equal(1000, Enumerable.Range(0, 1000).Select(_ => KeyToken.Create().Prefix).Distinct(StringComparer.Ordinal).Count());

    [GeneratedRegex("^stoa_[0-9A-Za-z]{12}_[0-9A-Za-z]{43}$", RegexOptions.NonBacktracking)]
    private static partial Regex Shape();
}
