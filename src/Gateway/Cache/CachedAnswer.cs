using System.Security.Cryptography;
using System.Text;
using Stoa.Gateway.Chat;

namespace Stoa.Gateway.Cache;

/// <summary>An answer that may be given again.</summary>
/// <param name="Body">Whatever its maker sends to clients; the cache does not look inside.</param>
/// <param name="Usage">What the answer took when it was made.</param>
internal sealed record CachedAnswer(ReadOnlyMemory<byte> Body, TokenUsage Usage);

/// <summary>Names a request of one organization: two requests have the same key exactly when they ask for the same.</summary>
internal readonly record struct CacheKey(Guid OrganizationId, string Hash)
{
    /// <param name="request">
    /// Everything that the answer follows from, in one order and form (service, model, parameters, prompt, messages, tools, response
    /// type, hashes of attachments): <see cref="CanonicalJson"/> makes it of a JSON document.
    /// </param>
    public static CacheKey Of(Guid organizationId, string purpose, ReadOnlySpan<byte> request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes(purpose + "\n"));
        hash.AppendData(request);
        return new(organizationId, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }
}
