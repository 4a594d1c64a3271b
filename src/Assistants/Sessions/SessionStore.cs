using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using Stoa.Assistants.Titles;
using Stoa.Assistants.Users;
using Stoa.Platform.Http;

namespace Stoa.Assistants.Sessions;

internal sealed class SessionStore(AssistantsDb db, SessionTitles titles, TimeProvider time)
{
    /// <summary>Into the unit of work.</summary>
    public SessionRow Add(UserRow user, string platform, SessionMode mode)
    {
        var session = new SessionRow
        {
            Id = RandomNumberGenerator.GetHexString(32, lowercase: true),
            UserId = user.Id, Language = user.LanguageCode, Platform = platform,
            StartingMode = mode, CreatedAt = time.GetUtcNow(),
        };
        db.Add(session);
        return session;
    }

    /// <summary>Chats in which something was said, newest first.</summary>
    public Task<List<SessionsApi.SessionView>> ListAsync(string userId, int most, int offset, CancellationToken ct) =>
        db.Sessions.AsNoTracking()
        .Where(session => session.UserId == userId && !session.IsDeleted && session.StartingMode == SessionMode.Chat
            && db.Messages.Any(message => message.SessionId == session.Id))
        .OrderByDescending(session => session.CreatedAt).ThenByDescending(session => session.Id).Skip(offset).Take(most)
        .Select(session => new SessionsApi.SessionView(session.Title, session.Id)).ToListAsync(ct);

    /// <summary>Null when there is none of this user.</summary>
    public Task<SessionRow?> FindAsync(string userId, string id, CancellationToken ct) => db.Sessions.AsNoTracking()
        .FirstOrDefaultAsync(session => session.Id == id && session.UserId == userId && !session.IsDeleted, ct);

    public async Task<bool> RenameAsync(string userId, string id, string title, CancellationToken ct) => await db.Sessions
        .Where(session => session.Id == id && session.UserId == userId && !session.IsDeleted)
        .ExecuteUpdateAsync(set => set.SetProperty(session => session.Title, title), ct) > 0;

    public async Task<bool> DeleteAsync(string userId, string id, CancellationToken ct) => await db.Sessions
        .Where(session => session.Id == id && session.UserId == userId && !session.IsDeleted)
        .ExecuteUpdateAsync(set => set.SetProperty(session => session.IsDeleted, true), ct) > 0;

    /// <summary>Gives it its first title, and tells whoever has it open. False: it has one; null: it is not there.</summary>
    public async Task<bool?> NameAsync(string id, string title, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (!await titles.NameAsync(id, title, ct))
        {
            return await db.Sessions.AnyAsync(session => session.Id == id && !session.IsDeleted, ct) ? false : null;
        }
        await transaction.CommitAsync(ct);
        return true;
    }

    public static Failure Unknown(string id) => Failure.Invalid($"Invalid session_id: {id}", "session_id");
}
