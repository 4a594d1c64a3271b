namespace Stoa.Platform.Data;

/// <summary>The database cannot be used and waiting does not help; the message is one line that says what to do.</summary>
public sealed class DatabaseException(string message, Exception? inner = null) : Exception(message, inner);
