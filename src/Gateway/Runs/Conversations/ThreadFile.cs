namespace Stoa.Gateway.Runs.Conversations;

/// <summary>A PDF that was uploaded for a conversation: the questions that follow are asked with it.</summary>
internal sealed record ThreadFile(string Url, long Bytes, DateTimeOffset ExpiresAt)
{
    public static readonly TimeSpan Kept = TimeSpan.FromDays(7);

    /// <summary>Of a conversation; the newest stay.</summary>
    public const int Most = 10;

    /// <summary>Of one question together: providers take no larger requests.</summary>
    public const long MaxBytes = 20 << 20;

    /// <summary>What a question of this moment is asked with, oldest first: the newest that fit.</summary>
    /// <param name="files">Newest first.</param>
    public static IReadOnlyList<string> Shown(IReadOnlyList<ThreadFile> files, DateTimeOffset now)
    {
        var room = MaxBytes;
        var shown = new List<string>(files.Count);
        foreach (var file in files.Where(file => file.ExpiresAt > now))
        {
            room -= file.Bytes;
            if (room < 0)
            {
                break;
            }
            shown.Add(file.Url);
        }
        shown.Reverse();
        return shown;
    }
}
