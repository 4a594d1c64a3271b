using Stoa.Platform.Jobs;

namespace Stoa.Assistants.HomeChats;

/// <summary>Each hour: for whom does a week begin?</summary>
internal sealed record PrepareHomeChats
{
    public const string Kind = "assistants.prepare_home_chats";

    public const string EachHour = "0 * * * *";
}

internal sealed class PrepareHomeChatsHandler(HomeChatStore chats) : IJobHandler<PrepareHomeChats>
{
    public Task RunAsync(PrepareHomeChats job, JobContext context, CancellationToken ct) => chats.PrepareAllAsync(ct);
}
