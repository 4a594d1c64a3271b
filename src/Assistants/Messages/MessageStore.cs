using Microsoft.EntityFrameworkCore;

namespace Stoa.Assistants.Messages;

internal sealed class MessageStore(AssistantsDb db, TimeProvider time)
{
    /// <summary>A page of the messages, which counts as read by that; oldest first.</summary>
    public async Task<List<MessageRow>> ReadAsync(string sessionId, MessagesApi.Page page, CancellationToken ct)
    {
        var all = db.Messages.AsNoTracking().Where(message => message.SessionId == sessionId);
        var ordered = page.IsNewer
            ? all.OrderBy(message => message.MessageDate).ThenBy(message => message.Id)
            : all.OrderByDescending(message => message.MessageDate).ThenByDescending(message => message.Id);
        var messages = await ordered.Skip(page.Offset).Take(page.Most).ToListAsync(ct);
        if (!page.IsNewer)
        {
            messages.Reverse();
        }
        var unread = messages.Where(message => message.ReadAt is null).Select(message => message.Id).ToList();
        if (unread.Count > 0)
        {
            await db.Messages.Where(message => unread.Contains(message.Id))
                .ExecuteUpdateAsync(set => set.SetProperty(message => message.ReadAt, time.GetUtcNow()), ct);
        }
        return messages;
    }
}
