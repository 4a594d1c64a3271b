namespace Stoa.Platform.Identity;

/// <summary>All live API keys, in memory. The request path asks only here, never the database.</summary>
public sealed class KeyRing
{
    /// <summary>The key that this token opens, or null when it is unknown, revoked or expired. Constant-time over the secret.</summary>
    public ApiKey? Find(ReadOnlySpan<char> token) => throw new NotSupportedException();
}
