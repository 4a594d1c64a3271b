using System.Text.Json.Nodes;
using Google.Apis.Auth;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Stoa.Platform.Http;
using Stoa.Platform.Identity;
using Stoa.Tests.Support;

namespace Stoa.Tests.Platform.Identity;

/// <summary>Against an issuer on loopback, with Google's own library as a second judge of the same tokens.</summary>
public sealed class GoogleTokensTests : IAsyncLifetime
{
    private const string Us = "our-client.apps.example";

    // Google's library knows only the clock of the machine.
    private readonly TimeProvider clock = TimeProvider.System;
    private readonly ServiceProvider services = new ServiceCollection().AddHttpClient().BuildServiceProvider();
    private LoopbackIssuer issuer = null!;
    private GoogleTokens google = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        issuer = await LoopbackIssuer.StartAsync("key");
        google = TokensFor(Us);
    }

    public async ValueTask DisposeAsync()
    {
        google.Dispose();
        await services.DisposeAsync();
        await issuer.DisposeAsync();
    }

    [Fact]
    public async Task The_right_token_tells_who_it_is()
    {
        var token = issuer.Sign(Claims(), "key");

        Assert.Equal(
            new GoogleIdentity("1234567890", "ada@example.org", "Ada", "Lovelace", Picture: null), await google.VerifyAsync(token, Ct));
        Assert.Null(await LibraryRefusesAsync(token));
    }

    public static TheoryData<string, string> WrongTokens => new()
    {
        { "audience", "Token has wrong audience" },
        { "audiences", "Token has wrong audience" },
        { "issuer", "Wrong issuer" },
        { "expired", "Token expired" },
        { "early", "Token used too early" },
        { "stranger", "Could not verify token signature" },
        { "unknown key", "Could not verify token signature" },
        { "altered", "Could not verify token signature" },
        { "text", "It is not an ID token" },
    };

    [Theory]
    [MemberData(nameof(WrongTokens))]
    public async Task A_wrong_token_is_refused_here_and_by_Googles_library(string wrong, string reason)
    {
        var token = Wrong(wrong);

        var failure = await Assert.ThrowsAsync<Failure>(() => google.VerifyAsync(token, Ct));

        Assert.Equal((FailureKind.Unauthenticated, $"Invalid authentication token: {reason}"), (failure.Kind, failure.Message));
        Assert.NotNull(await LibraryRefusesAsync(token));
    }

    [Theory]
    [InlineData("false")]
    [InlineData("null")]
    [InlineData("\"false\"")]
    [InlineData("1")]
    public async Task An_address_that_Google_has_not_verified_is_nobodys(string verified)
    {
        var claims = Claims();
        claims["email_verified"] = JsonNode.Parse(verified);

        var failure = await Assert.ThrowsAsync<Failure>(() => google.VerifyAsync(issuer.Sign(claims, "key"), Ct));

        Assert.Equal("Invalid authentication token: The address is not verified", failure.Message);
    }

    [Fact]
    public async Task Without_a_client_id_nobody_signs_in_with_Google()
    {
        using var off = TokensFor(null);
        var claims = Claims();
        claims["aud"] = "";

        Assert.False(off.IsConfigured);
        Assert.Equal(
            "google_not_configured", (await Assert.ThrowsAsync<Failure>(() => off.VerifyAsync(issuer.Sign(claims, "key"), Ct))).Code);
    }

    [Theory]
    [InlineData("", "It is not an ID token")]
    [InlineData("stoa-dev", "It is not an ID token")]
    [InlineData("a.b.c", "It is not an ID token")]
    // {"alg":"none"}.{}. and {"alg":"HS256","kid":"key"}.{}.AA
    [InlineData("eyJhbGciOiJub25lIn0.e30.", "Could not verify token signature")]
    [InlineData("eyJhbGciOiJIUzI1NiIsImtpZCI6ImtleSJ9.e30.AA", "Could not verify token signature")]
    public async Task What_cannot_be_a_token_of_Googles_is_refused_also_without_a_client_id(string token, string reason)
    {
        using var off = TokensFor(null, isDevelopment: true);

        var failure = await Assert.ThrowsAsync<Failure>(() => off.VerifyAsync(token, Ct));

        Assert.Equal((FailureKind.Unauthenticated, $"Invalid authentication token: {reason}"), (failure.Kind, failure.Message));
    }

    [Theory]
    [InlineData(null, true, "stoa-dev:Ada@Example.org", "ada@example.org")]
    [InlineData(null, true, "stoa-dev:", null)]
    [InlineData(null, true, "stoa-dev", null)]
    [InlineData(null, false, "stoa-dev:ada@example.org", null)]
    [InlineData(Us, true, "stoa-dev:ada@example.org", null)]
    public async Task In_Development_a_name_is_a_token_where_no_client_id_is_set(
        string? clientId, bool isDevelopment, string token, string? email)
    {
        using var tokens = TokensFor(clientId, isDevelopment);

        Assert.Equal(email is not null || clientId is not null, tokens.CanRead(token));
        if (email is null)
        {
            await Assert.ThrowsAsync<Failure>(() => tokens.VerifyAsync(token, Ct));
            return;
        }
        Assert.Equal(
            ("stoa-dev:ada@example.org", email), await tokens.VerifyAsync(token, Ct) is var ada ? (ada.Subject, ada.Email) : default);
    }

    private string Wrong(string what)
    {
        var claims = Claims();
        switch (what)
        {
            case "audience":
                claims["aud"] = "another-client.apps.example";
                break;
            case "audiences":
                claims["aud"] = "OUR-CLIENT.apps.example";
                break;
            case "issuer":
                claims["iss"] = "https://accounts.google.com.evil.example";
                break;
            case "expired":
                claims["exp"] = clock.GetUtcNow().ToUnixTimeSeconds() - 15;
                break;
            case "early":
                claims["iat"] = clock.GetUtcNow().ToUnixTimeSeconds() + 600;
                break;
            case "stranger":
                return LoopbackIssuer.SignByStranger(claims, "key");
            case "unknown key":
                return LoopbackIssuer.SignByStranger(claims, "nobody's");
            case "altered":
                var parts = issuer.Sign(claims, "key").Split('.');
                claims["email"] = "boss@example.org";
                return $"{parts[0]}.{issuer.Sign(claims, "key").Split('.')[1]}.{parts[2]}";
            case "text":
                return "tok:ada@example.org";
        }
        return issuer.Sign(claims, "key");
    }

    private JsonObject Claims() => new()
    {
        ["iss"] = "https://accounts.google.com",
        ["aud"] = Us,
        ["sub"] = "1234567890",
        ["email"] = "Ada@Example.org",
        ["email_verified"] = true,
        ["given_name"] = "Ada",
        ["family_name"] = "Lovelace",
        ["iat"] = clock.GetUtcNow().ToUnixTimeSeconds(),
        ["exp"] = clock.GetUtcNow().ToUnixTimeSeconds() + 3600,
    };

    private GoogleTokens TokensFor(string? clientId, bool isDevelopment = false) => new(
        Options.Create(new GoogleOptions { ClientId = clientId, CertificatesUrl = issuer.Certificates.AbsoluteUri }),
        services.GetRequiredService<IHttpClientFactory>(), clock, NullLogger<GoogleTokens>.Instance, isDevelopment);

    private async Task<Exception?> LibraryRefusesAsync(string token)
    {
        var options = new SignedTokenVerificationOptions
        {
            CertificatesUrl = issuer.Certificates.AbsoluteUri,
            TrustedAudiences = { Us },
            TrustedIssuers = { "accounts.google.com", "https://accounts.google.com" },
        };
        return await Record.ExceptionAsync(() => JsonWebSignature.VerifySignedTokenAsync(token, options, Ct));
    }
}
