using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Stoa.Gateway;
using Stoa.Gateway.ProviderKeys;

namespace Stoa.Tests.Gateway.Agents;

/// <summary>Providers' keys: in, verified, used, and never out.</summary>
public sealed class ProviderKeysTests(ManagementSite site) : IClassFixture<ManagementSite>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_verified_key_is_kept_sealed_and_shown_as_a_mask()
    {
        var admin = site.Admin();

        var made = (await admin.DoAsync(
            "POST", "/api/apikeys", $$"""{"name":"mine","apikey":"{{site.OpenAi.Key}}","service":"openai","apikey_limit":10}"""))["api"]!;
        var listed = (await admin.DoAsync("GET", "/api/apikeys"))["result"]![0]!;

        var mask = $"{site.OpenAi.Key[..3]}*********{site.OpenAi.Key[^3..]}";
        Assert.Equal((mask, "working", 10m), ((string?)made["apikey"], (string?)made["status"], (decimal)made["apikey_limit"]!));
        Assert.Equal(((string?)made["_id"], mask, "mine", 0m),
            ((string?)listed["_id"], (string?)listed["apikey"], (string?)listed["name"], (decimal)listed["apikey_usage"]!));
        await using var scope = site.Host.Services.CreateAsyncScope();
        var row = await scope.ServiceProvider.GetRequiredService<GatewayDb>().ProviderKeys.SingleAsync(
            key => key.Id == (string)made["_id"]!, Ct);
        Assert.DoesNotContain(site.OpenAi.Key, Encoding.UTF8.GetString(row.Secret), StringComparison.Ordinal);
        Assert.Equal(site.OpenAi.Key, site.Host.Services.GetRequiredService<KeySeal>().Open(row.Secret));
    }

    [Theory]
    [InlineData("""{"name":"k","apikey":"sk-wrong","service":"openai"}""")]
    [InlineData("""{"name":"k","apikey":"sk-wrong","service":"no-such"}""")]
    [InlineData("""{"name":"k","apikey":"line\nbreak","service":"demo"}""")]
    [InlineData("""{"name":"k","service":"demo"}""")]
    [InlineData("""{"apikey":"sk-1","service":"demo"}""")]
    public async Task What_is_no_key_is_not_kept(string body)
    {
        var admin = site.Admin();

        var (status, answer) = await admin.SendAsync("POST", "/api/apikeys", body);

        Assert.Equal((400, false), (status, (bool)answer["success"]!));
        Assert.Empty((await admin.DoAsync("GET", "/api/apikeys"))["result"]!.AsArray());
    }

    [Fact]
    public async Task A_key_in_use_stays_and_one_that_is_free_goes()
    {
        var admin = site.Admin();
        var (agent, version) = await admin.AgentAsync();
        var key = (string)(await admin.DoAsync(
            "POST", "/api/apikeys", """{"name":"k","apikey":"sk-demo-key","service":"demo"}"""))["api"]!["_id"]!;
        await admin.DoAsync("PUT", $"/api/versions/{version}", $$$"""{"apikey_object_id":{"demo":"{{{key}}}"}}""");
        var removal = $$"""{"apikey_object_id":"{{key}}"}""";

        var (status, refused) = await admin.SendAsync("DELETE", "/api/apikeys", removal);
        var ofAgent = await admin.DoAsync("GET", $"/api/apikeys/{agent}");
        await admin.DoAsync("PUT", $"/api/versions/{version}", """{"apikey_object_id":{}}""");
        await admin.DoAsync("DELETE", "/api/apikeys", removal);

        Assert.Equal((400, "Cannot delete API key as it is currently in use", true),
            (status, (string?)refused["message"], (bool)refused["isInUse"]!));
        Assert.Equal(version, (string?)refused["usageDetails"]!["versions"]![0]!["_id"]);
        Assert.Equal((key, version), ((string?)ofAgent["result"]![0]!["_id"], (string?)ofAgent["result"]![0]!["version_ids"]![0]));
        Assert.Empty((await admin.DoAsync("GET", "/api/apikeys"))["result"]!.AsArray());
    }

    [Fact]
    public async Task A_key_is_changed_by_its_organization_alone()
    {
        var (admin, stranger) = (site.Admin(), site.Admin());
        var key = (string)(await admin.DoAsync(
            "POST", "/api/apikeys", """{"name":"k","apikey":"sk-demo-key","service":"demo"}"""))["api"]!["_id"]!;
        await admin.DoAsync("POST", "/api/apikeys", """{"name":"l","apikey":"sk-demo-key","service":"demo"}""");

        Assert.Equal(404, (await stranger.SendAsync("PUT", $"/api/apikeys/{key}", """{"name":"x"}""")).Status);
        Assert.Equal(404, (await stranger.SendAsync("DELETE", "/api/apikeys", $$"""{"apikey_object_id":"{{key}}"}""")).Status);
        Assert.Equal(400, (await admin.SendAsync("PUT", $"/api/apikeys/{key}", """{"name":"l"}""")).Status);
        var changed = await admin.DoAsync("PUT", $"/api/apikeys/{key}", """{"name":"m","apikey":"sk-another-key","apikey_usage":0}""");

        Assert.Equal(("Apikey updated successfully", "sk-*********key"), ((string?)changed["message"], (string?)changed["apikey"]));
    }

    [Fact]
    public async Task A_key_is_brought_over_as_the_original_stored_it()
    {
        var admin = site.Admin();
        using var aes = Aes.Create();
        aes.Key = Encoding.UTF8.GetBytes(Convert.ToHexStringLower(SHA512.HashData("material"u8))[..32]);
        var stored = Convert.ToHexStringLower(aes.EncryptCbc(
            Encoding.UTF8.GetBytes(site.OpenAi.Key), Encoding.UTF8.GetBytes(Convert.ToHexStringLower(SHA512.HashData("vector"u8))[..16])));

        var made = (await admin.DoAsync("POST", "/api/apikeys", $$"""{"name":"old","apikey":"{{stored}}","service":"openai"}"""))["api"]!;

        Assert.Equal($"{site.OpenAi.Key[..3]}*********{site.OpenAi.Key[^3..]}", (string?)made["apikey"]);
    }

    [Fact]
    public void Keys_of_the_original_are_read_in_both_of_its_ways()
    {
        using var aes = Aes.Create();
        aes.Key = Encoding.UTF8.GetBytes(Convert.ToHexStringLower(SHA512.HashData("material"u8))[..32]);
        var vector = Encoding.UTF8.GetBytes(Convert.ToHexStringLower(SHA512.HashData("vector"u8))[..16]);
        var plain = "sk-proj-0123456789"u8.ToArray();
        var original = new OriginalKeys("material", "vector");

        Assert.Equal("sk-proj-0123456789", original.Read(Convert.ToHexStringLower(aes.EncryptCbc(plain, vector))));
        Assert.Equal("sk-proj-0123456789", original.Read(
            Convert.ToHexStringLower(aes.EncryptCfb((byte[])[.. plain, .. new byte[14]], vector, PaddingMode.None, 128)[..plain.Length])));
        Assert.Null(new OriginalKeys("other", "vector").Read(Convert.ToHexStringLower(aes.EncryptCbc(plain, vector))));
        Assert.Null(original.Read("not hex"));
        Assert.Equal("*********", KeySeal.Mask("short"));
    }
}
