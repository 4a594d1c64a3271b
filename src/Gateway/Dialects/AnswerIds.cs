using System.Security.Cryptography;

namespace Stoa.Gateway.Dialects;

internal static class AnswerIds
{
    public static string New(string prefix) =>
        prefix + RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", 24);
}
