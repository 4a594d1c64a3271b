using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;

namespace Stoa.Tests.Platform.Identity;

public sealed class PasswordTests
{
    private const string Password = "correct horse battery";

    // hashlib.pbkdf2_hmac('sha256', password, b'saltsalt', 1000), as werkzeug.security writes it.
    private const string Werkzeug = "pbkdf2:sha256:1000$saltsalt$daf2eb9b12bc60544e9c64cbea88a73b86df4f4da0bd3a697856f3ec75b3e57d";

    private static PasswordHasher Hasher(int iterations = 100_000) =>
        new(Options.Create(new PersonOptions { PasswordIterations = iterations }));

    [Fact]
    public void A_password_opens_its_hash_and_no_other_does()
    {
        var hasher = Hasher();
        var hash = hasher.Hash(Password);

        Assert.StartsWith("stoa1$100000$", hash, StringComparison.Ordinal);
        Assert.True(hasher.Verify(hash, Password, out var isOld));
        Assert.False(isOld);
        Assert.False(hasher.Verify(hash, Password + " ", out _));
        Assert.NotEqual(hash, hasher.Hash(Password));
    }

    [Fact]
    public void However_a_keyboard_composes_a_letter_the_password_is_the_same()
    {
        var hasher = Hasher();

        Assert.True(hasher.Verify(hasher.Hash("gru\u0308ne Wiese"), "gr\u00fcne Wiese", out _));
    }

    [Fact]
    public void What_Werkzeug_wrote_is_understood_and_is_to_be_written_anew()
    {
        var hasher = Hasher();

        Assert.True(hasher.Verify(Werkzeug, Password, out var isOld));
        Assert.True(isOld);
        Assert.False(hasher.Verify(Werkzeug, "another", out isOld));
        Assert.False(isOld);
    }

    [Fact]
    public void A_hash_of_fewer_iterations_is_to_be_written_anew()
    {
        Assert.True(Hasher(200_000).Verify(Hasher().Hash(Password), Password, out var isOld));
        Assert.True(isOld);
    }

    [Theory]
    [InlineData("")]
    [InlineData("plain text")]
    [InlineData("stoa1$100000$$")]
    [InlineData("stoa1$0$c2FsdA==$AAAA")]
    [InlineData("stoa1$99999999999$c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")]
    [InlineData("pbkdf2:sha256:2000000000$saltsalt$00")]
    [InlineData("pbkdf2:sha1:1000$saltsalt$0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData("scrypt:32768:8:1$salt$00")]
    public void What_is_no_hash_opens_for_nobody(string hash) => Assert.False(Hasher().Verify(hash, Password, out _));

    [Fact]
    public void Whatever_is_wrong_costs_the_same()
    {
        var hasher = Hasher();
        var ours = hasher.Hash(Password);

        var costs = new[] { ours, null, Werkzeug, "no hash", "" }.Select(hash =>
        {
            var before = hasher.Work;
            Assert.False(hasher.Verify(hash, "wrong", out _));
            return hasher.Work - before;
        });

        Assert.Equal([100_000], costs.Distinct());
    }

    [Theory]
    [InlineData("elevenchars")]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("aaaaaaaaaaaaaaaaaaaa")]
    [InlineData("has a \0 in the middle")]
    public void A_weak_or_impossible_password_is_refused(string? password) => Assert.Equal(
        "weak_password",
        Assert.Throws<Failure>(() => new PasswordRule(Options.Create(new PersonOptions())).Check(password, "password")).Code);

    [Fact]
    public void Half_a_character_is_in_no_password() => Assert.False(PasswordRule.IsUsable($"half a character {(char)0xD800} here"));

    [Fact]
    public void A_password_as_long_as_a_book_is_refused_before_it_is_hashed() => Assert.Throws<Failure>(
        () => new PasswordRule(Options.Create(new PersonOptions())).Check(new string('x', 100_000) + "abcdef", "password"));
}
