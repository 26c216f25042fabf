<?php
// Hashes by PHP 8.2's password_hash and crypt. Debian: apt-get install php-cli; php php.php >php.tsv
// `$P$`, `$S$` and `$wp$` are made here as phpass, Drupal 7 and WordPress 6.8 make them, by PHP's own functions:
// WordPress itself needs a database.
const ITOA = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function encode64($input, $count) {
  $output = ''; $i = 0;
  do {
    $value = ord($input[$i++]);
    $output .= ITOA[$value & 0x3f];
    if ($i < $count) $value |= ord($input[$i]) << 8;
    $output .= ITOA[($value >> 6) & 0x3f];
    if ($i++ >= $count) break;
    if ($i < $count) $value |= ord($input[$i]) << 16;
    $output .= ITOA[($value >> 12) & 0x3f];
    if ($i++ >= $count) break;
    $output .= ITOA[($value >> 18) & 0x3f];
  } while ($i < $count);
  return $output;
}

function portable($mark, $algorithm, $password, $log, $length) {
  $salt = encode64(random_bytes(6), 6);
  $hash = hash($algorithm, $salt . $password, true);
  for ($count = 1 << $log; $count > 0; $count--) $hash = hash($algorithm, $hash . $password, true);
  return substr($mark . ITOA[$log] . $salt . encode64($hash, strlen($hash)), 0, $length);
}

function say($maker, $password, $text) {
  echo $maker, "\t", json_encode($password, JSON_UNESCAPED_SLASHES), "\t", $text, "\n";
}

$passwords = ["correct horse battery staple", "p\u{e4}ssw\u{f6}rd \u{1f980} \" ' \\ $", " x ",
  str_repeat('a', 71) . "\u{e9}" . str_repeat('b', 30), str_repeat("\u{ff}\u{a3} 345 ", 20)];
foreach ($passwords as $password) {
  say('php', $password, password_hash($password, PASSWORD_BCRYPT, ['cost' => 4]));
  foreach ([PASSWORD_ARGON2I, PASSWORD_ARGON2ID] as $algorithm)
    say('php', $password, password_hash($password, $algorithm, ['memory_cost' => 128, 'time_cost' => 3, 'threads' => 1]));
  foreach (['$2a$', '$2x$', '$2y$'] as $mark)
    say('php', $password, crypt($password, $mark . '05$abcdefghijklmnopqrstuu'));
  say('php', $password, crypt($password, '$5$rounds=1500$saltstring$'));
  say('php', $password, crypt($password, '$6$rounds=1500$saltstring$'));
  foreach (['$P$', '$H$'] as $mark) say('phpass', $password, portable($mark, 'md5', $password, 8, 34));
  say('drupal', $password, portable('$S$', 'sha512', $password, 9, 55));
  $before = base64_encode(hash_hmac('sha384', trim($password), 'wp-sha384', true));
  if (trim($password) === $password) say('wordpress', $password, '$wp' . password_hash($before, PASSWORD_BCRYPT, ['cost' => 4]));
}
