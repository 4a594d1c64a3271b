namespace Stoa.Gateway.Cache;

/// <summary>What the response cache had to do with a call; the header <c>x-gtwy-cache</c>.</summary>
internal enum CacheUse
{
    /// <summary>Not asked.</summary>
    Bypass,
    Miss,
    Hit,
}
