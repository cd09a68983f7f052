// SPDX-License-Identifier: Apache-2.0
//
// Published vectors, and openssl(1) as the independent other side.

#include "test.h"

#include <errno.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/base/crypto.h"
#include "firmware/base/file.h"

extern char **environ;

// RFC 6979 A.2.5: the key, and signatures of "sample" and "test" with SHA-256.
#define RFC6979_KEY "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721"
#define RFC6979_PUB                                                          \
	"0460fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6" \
	"7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
#define RFC6979_SAMPLE                                                     \
	"EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" \
	"F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
#define RFC6979_TEST                                                       \
	"F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367" \
	"019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"

static struct eg_key *key_of(const char *hex)
{
	struct eg_bytes raw = unhex(hex);
	struct eg_key *key = NULL;

	assert_int_equal(eg_key_from_raw(raw, &key, NULL), 0);
	drop(raw);
	return key;
}

// FIPS 180-4 examples.
static void sha256_gives_the_published_digests(void **state)
{
	static const char *const cases[][2] = {
		{"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
		{"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	uint8_t digest[EG_SHA256_SIZE];
	struct eg_sha256 *hash;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(eg_sha256(EG_BYTES_STR(cases[i][0]), digest), 0);
		check_hex(digest, sizeof(digest), cases[i][1]);
		assert_int_equal(eg_sha256_new(&hash), 0);
		for (const char *c = cases[i][0]; *c != '\0'; c++)
			assert_int_equal(eg_sha256_add(hash, EG_BYTES(c, 1)), 0);
		assert_int_equal(eg_sha256_finish(hash, digest), 0);
		check_hex(digest, sizeof(digest), cases[i][1]);
		eg_sha256_free(hash);
	}
	assert_int_equal(eg_sha256_new(&hash), 0);
	eg_sha256_free(hash); // unfinished
	eg_sha256_free(NULL);
}

// RFC 4231 test cases 1, 2, 3 and 6.
static void hmac_gives_the_published_codes(void **state)
{
	static const char *const cases[][3] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
		 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
		{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
		 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 "dddddddddddddddddddddddddddddddddddddddddddddddddd"
		 "dddddddddddddddddddddddddddddddddddddddddddddddddd",
		 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
		{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
		 "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
		 "65204b6579202d2048617368204b6579204669727374",
		 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
	};
	uint8_t mac[EG_SHA256_SIZE];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes key = unhex(cases[i][0]), data = unhex(cases[i][1]);

		assert_int_equal(eg_hmac_sha256(key, data, mac), 0);
		check_hex(mac, sizeof(mac), cases[i][2]);
		drop(key);
		drop(data);
	}
}

// RFC 5869 A.1 and A.3 (empty salt and info), and A.2 for more than two blocks.
static void hkdf_gives_the_published_keys(void **state)
{
	static const struct {
		const char *ikm, *salt, *info, *prk, *okm;
	} cases[] = {
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
		 "f0f1f2f3f4f5f6f7f8f9",
		 "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
		 "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
		 "34007208d5b887185865"},
		{"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
		 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
		 "404142434445464748494a4b4c4d4e4f",
		 "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f"
		 "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
		 "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
		 "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecf"
		 "d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef"
		 "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
		 "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
		 "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
		 "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
		 "cc30c58179ec3e87c14c01d5c1f3434f1d87"},
		{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
		 "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
		 "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
		 "9d201395faa4b61a96c8"},
	};
	uint8_t prk[EG_SHA256_SIZE], okm[128], full[255 * EG_SHA256_SIZE + 1];

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes ikm = unhex(cases[i].ikm), salt = unhex(cases[i].salt);
		struct eg_bytes info = unhex(cases[i].info);
		size_t size = strlen(cases[i].okm) / 2;

		assert_int_equal(eg_hkdf_extract(salt, ikm, prk), 0);
		check_hex(prk, sizeof(prk), cases[i].prk);
		assert_int_equal(eg_hkdf_expand(prk, info, okm, size), 0);
		check_hex(okm, size, cases[i].okm);
		drop(ikm);
		drop(salt);
		drop(info);
	}
	assert_int_equal(eg_hkdf_expand(prk, EG_BYTES("", 0), full, sizeof(full) - 1), 0);
	assert_int_equal(eg_hkdf_expand(prk, EG_BYTES("", 0), full, sizeof(full)), EG_ETOOBIG);
}

static void published_signatures_verify_and_changed_ones_do_not(void **state)
{
	static const char *const cases[][2] = {{"sample", RFC6979_SAMPLE}, {"test", RFC6979_TEST}};
	struct eg_key *key = key_of(RFC6979_KEY);
	const uint8_t *pub = eg_key_public(key);
	uint8_t signature[EG_P256_SIG_SIZE];

	(void)state;
	check_hex(pub, EG_P256_PUB_SIZE, RFC6979_PUB);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes message = EG_BYTES_STR(cases[i][0]);

		assert_int_equal(eg_unhex(cases[i][1], signature, sizeof(signature)), 0);
		assert_int_equal(eg_verify(pub, message, signature), 0);
		assert_int_equal(eg_verify(pub, EG_BYTES_STR("other"), signature), EG_EAUTH);
		for (size_t k = 0; k < sizeof(signature); k++) {
			signature[k] ^= 1;
			assert_int_equal(eg_verify(pub, message, signature), EG_EAUTH);
			signature[k] ^= 1;
		}
	}
	memset(signature, 0, sizeof(signature));
	assert_int_equal(eg_verify(pub, EG_BYTES_STR("test"), signature), EG_EAUTH);
	memset(signature, 0xff, sizeof(signature));
	assert_int_equal(eg_verify(pub, EG_BYTES_STR("test"), signature), EG_EAUTH);
	eg_key_free(key);
}

static void own_signatures_verify(void **state)
{
	uint8_t signature[EG_P256_SIG_SIZE];
	struct eg_key *key, *other;

	(void)state;
	assert_int_equal(eg_key_generate(&key, NULL), 0);
	assert_int_equal(eg_key_generate(&other, NULL), 0);
	assert_int_equal(eg_sign(key, EG_BYTES("", 0), signature), 0);
	assert_int_equal(eg_verify(eg_key_public(key), EG_BYTES("", 0), signature), 0);
	assert_int_equal(eg_verify(eg_key_public(other), EG_BYTES("", 0), signature), EG_EAUTH);
	eg_key_free(other);
	eg_key_free(key);
}

static void points_off_the_curve_are_refused(void **state)
{
	struct eg_key *key = key_of(RFC6979_KEY);
	uint8_t pub[EG_P256_PUB_SIZE], signature[EG_P256_SIG_SIZE], shared[32];

	(void)state;
	assert_int_equal(eg_unhex(RFC6979_TEST, signature, sizeof(signature)), 0);
	for (int i = 0; i < 4; i++) {
		memcpy(pub, eg_key_public(key), sizeof(pub));
		if (i == 0)
			pub[64] ^= 1; // y
		else if (i == 1)
			pub[0] = 2; // compressed
		else if (i == 2)
			memset(pub + 1, 0, 64); // not on the curve
		else
			memset(pub + 1, 0xff, 64); // beyond the field
		assert_int_equal(eg_verify(pub, EG_BYTES_STR("test"), signature), EG_EINVAL);
		assert_int_equal(eg_ecdh(key, pub, shared), EG_EINVAL);
	}
	eg_key_free(key);
}

// RFC 5903 §8.1.
static void ecdh_gives_the_published_secret(void **state)
{
	struct eg_key *i =
		key_of("C88F01F510D9AC3F70A292DAA2316DE544E9AAB8AFE84049C62A9C57862D1433");
	struct eg_key *r =
		key_of("C6EF9C5D78AE012A011164ACB397CE2088685D8F06BF9BE0B283AB46476BEE53");
	uint8_t shared[32];

	(void)state;
	check_hex(eg_key_public(i), EG_P256_PUB_SIZE,
		  "04dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
		  "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3");
	assert_int_equal(eg_ecdh(i, eg_key_public(r), shared), 0);
	check_hex(shared, 32, "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
	assert_int_equal(eg_ecdh(r, eg_key_public(i), shared), 0);
	check_hex(shared, 32, "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de");
	eg_key_free(i);
	eg_key_free(r);
}

// McGrew and Viega, "The Galois/Counter Mode of Operation", test cases 13, 14 and 16.
static void gcm_gives_the_published_ciphertexts(void **state)
{
	static const char zero[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *key, *nonce, *aad, *plain, *cipher;
	} cases[] = {
		{zero, "000000000000000000000000", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
		{zero, "000000000000000000000000", "", "00000000000000000000000000000000",
		 "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
		{"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
		 "cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
		 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
		 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
		 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
		 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
		 "76fc6ece0f4e1768cddf8853bb2d551b"},
	};
	uint8_t out[128], zeros[128] = {0};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct eg_bytes key = unhex(cases[i].key), nonce = unhex(cases[i].nonce);
		struct eg_bytes aad = unhex(cases[i].aad), plain = unhex(cases[i].plain);
		struct eg_bytes cipher = unhex(cases[i].cipher);
		uint8_t *changed = (uint8_t *)(uintptr_t)cipher.data;

		assert_int_equal(eg_aead_seal(key.data, nonce.data, aad, plain, out), 0);
		check_hex(out, cipher.size, cases[i].cipher);
		assert_int_equal(eg_aead_open(key.data, nonce.data, aad, cipher, out), 0);
		check_hex(out, plain.size, cases[i].plain);
		for (size_t k = 0; k < cipher.size; k++) {
			changed[k] ^= 0x10;
			memset(out, 7, sizeof(out));
			assert_int_equal(eg_aead_open(key.data, nonce.data, aad, cipher, out),
					 EG_EAUTH);
			assert_memory_equal(out, zeros, plain.size);
			changed[k] ^= 0x10;
		}
		assert_int_equal(eg_aead_open(key.data, nonce.data, EG_BYTES_STR("x"), cipher, out),
				 EG_EAUTH);
		assert_int_equal(eg_aead_open(key.data, nonce.data, aad, EG_BYTES(changed, 15),
					      out),
				 EG_EINVAL);
		drop(key);
		drop(nonce);
		drop(aad);
		drop(plain);
		drop(cipher);
	}
}

// The order of P-256 is FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551.
static void scalars_out_of_range_are_refused(void **state)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551",
		"FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
		"C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F67",
		"00C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
		"",
	};
	struct eg_key *key = NULL;
	struct eg_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct eg_bytes raw = unhex(bad[i]);

		assert_int_equal(eg_key_from_raw(raw, &key, &err), EG_EINVAL);
		assert_null(key);
		drop(raw);
	}
	key = key_of("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632550");
	eg_key_free(key); // order − 1
	eg_key_free(NULL);
}

// ---- with openssl ----------------------------------------------------------------------------

// True when the command ended with 0. Its output is dropped.
static bool run(const char *const argv[])
{
	posix_spawn_file_actions_t actions;
	int status, r;
	pid_t pid;

	assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
	(void)posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
	(void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
	r = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	if (r == ENOENT) {
		print_message("openssl is not installed\n");
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

// DER of SEQUENCE { INTEGER r, INTEGER s } from and to r ‖ s.
static size_t put_integer(uint8_t *to, const uint8_t number[32])
{
	size_t skip = 0, pad;

	while (skip < 31 && number[skip] == 0)
		skip++;
	pad = number[skip] >> 7;
	to[0] = 2;
	to[1] = (uint8_t)(32 - skip + pad);
	to[2] = 0;
	memcpy(to + 2 + pad, number + skip, 32 - skip);
	return 2 + pad + 32 - skip;
}

static const uint8_t *get_integer(const uint8_t *at, uint8_t number[32])
{
	size_t size = at[1], skip = size == 33;

	assert_int_equal(at[0], 2);
	assert_true(size <= 33);
	memset(number, 0, 32);
	memcpy(number + 32 - (size - skip), at + 2 + skip, size - skip);
	return at + 2 + size;
}

static void a_key_of_ours_signs_for_openssl(void **state)
{
	uint8_t signature[EG_P256_SIG_SIZE], der[80] = {0x30};
	struct eg_key *key, *again;
	size_t size;

	(void)state;
	assert_int_equal(eg_key_generate(&key, NULL), 0);
	assert_int_equal(eg_key_save(key, "ours.pem", NULL), 0);
	assert_true(RUN("openssl", "pkey", "-in", "ours.pem", "-pubout", "-out", "ours.pub"));
	write_text("message", "to be signed");
	for (int i = 0; i < 20; i++) { // leading zeros and high bits come by chance
		assert_int_equal(eg_sign(key, EG_BYTES_STR("to be signed"), signature), 0);
		size = put_integer(der + 2, signature);
		size += put_integer(der + 2 + size, signature + 32);
		der[1] = (uint8_t)size;
		assert_int_equal(eg_file_write("sig", EG_BYTES(der, size + 2), 0600, NULL), 0);
		assert_true(RUN("openssl", "dgst", "-sha256", "-verify", "ours.pub", "-signature",
				"sig", "message"));
	}
	assert_int_equal(eg_key_load("ours.pem", &again, NULL), 0);
	assert_memory_equal(eg_key_public(again), eg_key_public(key), EG_P256_PUB_SIZE);
	eg_key_free(again);
	eg_key_free(key);
}

static void check_openssl_key(const char *path)
{
	uint8_t signature[EG_P256_SIG_SIZE];
	struct eg_key *key;
	struct eg_buf der;

	assert_int_equal(chmod(path, 0600), 0);
	assert_true(RUN("openssl", "dgst", "-sha256", "-sign", path, "-out", "sig", "message"));
	assert_int_equal(eg_key_load(path, &key, NULL), 0);
	eg_buf_init(&der, 80);
	assert_int_equal(eg_file_read("sig", &der, NULL), 0);
	(void)get_integer(get_integer(der.data + 2, signature), signature + 32);
	assert_int_equal(eg_verify(eg_key_public(key), EG_BYTES_STR("to be signed"), signature), 0);
	eg_buf_done(&der);
	eg_key_free(key);
}

static void keys_of_openssl_load_and_their_signatures_verify(void **state)
{
	(void)state;
	write_text("message", "to be signed");
	assert_true(RUN("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
			"ec_paramgen_curve:P-256", "-out", "pkcs8.pem"));
	check_openssl_key("pkcs8.pem");
	assert_true(RUN("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
			"sec1.pem"));
	check_openssl_key("sec1.pem");
}

static void other_keys_are_refused_by_name(void **state)
{
	struct eg_key *key = NULL;
	struct eg_err err;

	(void)state;
	assert_true(RUN("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
			"ec_paramgen_curve:P-384", "-out", "p384.pem"));
	assert_int_equal(chmod("p384.pem", 0600), 0);
	assert_int_equal(eg_key_load("p384.pem", &key, &err), EG_EUNSUPPORTED);
	assert_non_null(strstr(err.text, "p384.pem is no P-256 key"));
	assert_true(RUN("openssl", "genpkey", "-algorithm", "RSA", "-out", "rsa.pem"));
	assert_int_equal(chmod("rsa.pem", 0600), 0);
	assert_int_equal(eg_key_load("rsa.pem", &key, &err), EG_EUNSUPPORTED);
	assert_true(RUN("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt",
			"ec_paramgen_curve:P-256", "-aes256", "-pass", "pass:x", "-out",
			"enc.pem"));
	assert_int_equal(chmod("enc.pem", 0600), 0);
	assert_int_equal(eg_key_load("enc.pem", &key, &err), EG_EINVAL);
	assert_null(key);
}

static void files_that_are_no_keys_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"-----BEGIN PRIVATE KEY-----\n",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"-----BEGIN EC PRIVATE KEY-----\n!!\n-----END EC PRIVATE KEY-----\n",
	};
	struct eg_key *key = NULL;
	struct eg_err err;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		write_text("bad.pem", bad[i]);
		assert_int_equal(chmod("bad.pem", 0600), 0);
		assert_int_equal(eg_key_load("bad.pem", &key, &err), EG_EINVAL);
		assert_string_equal(err.text, "key bad.pem is no private key in PEM");
	}
	assert_int_equal(chmod("bad.pem", 0644), 0);
	assert_int_equal(eg_key_load("bad.pem", &key, &err), EG_EAUTH);
	assert_int_equal(eg_key_load("absent.pem", &key, &err), EG_ENOENT);
	assert_string_equal(err.text, "key: absent.pem: No such file or directory");
	assert_null(key);
}

static void a_missing_key_is_made_once_and_a_broken_one_never_replaced(void **state)
{
	uint8_t pub[EG_P256_PUB_SIZE];
	struct eg_key *key;
	bool made = false;
	struct stat st;

	(void)state;
	(void)unlink("made.pem");
	assert_int_equal(eg_key_load_or_make("made.pem", &key, &made, NULL), 0);
	assert_true(made);
	assert_int_equal(stat("made.pem", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	memcpy(pub, eg_key_public(key), sizeof(pub));
	eg_key_free(key);
	assert_int_equal(eg_key_load_or_make("made.pem", &key, &made, NULL), 0);
	assert_false(made);
	assert_memory_equal(eg_key_public(key), pub, sizeof(pub));
	eg_key_free(key);
	write_text("made.pem", "damaged");
	assert_int_equal(eg_key_load_or_make("made.pem", &key, &made, NULL), EG_EINVAL);
}

static void a_key_id_begins_the_digest_of_the_public_key(void **state)
{
	uint8_t kid[EG_KID_SIZE], digest[EG_SHA256_SIZE];
	struct eg_bytes pub = unhex(RFC6979_PUB);

	(void)state;
	eg_kid(pub.data, kid);
	assert_int_equal(eg_sha256(pub, digest), 0);
	assert_memory_equal(kid, digest, sizeof(kid));
	drop(pub);
}

static void random_bytes_differ(void **state)
{
	uint8_t a[32], b[32];

	(void)state;
	assert_int_equal(eg_random(a, sizeof(a)), 0);
	assert_int_equal(eg_random(b, sizeof(b)), 0);
	assert_memory_not_equal(a, b, sizeof(a));
}

static int init(void **state)
{
	(void)state;
	return eg_crypto_init(NULL);
}

// The last one: every key and secret buffer of the others has been freed.
static void no_secret_is_left_behind(void **state)
{
	(void)state;
	assert_int_equal(eg_secret_count(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sha256_gives_the_published_digests),
		cmocka_unit_test(hmac_gives_the_published_codes),
		cmocka_unit_test(hkdf_gives_the_published_keys),
		cmocka_unit_test(published_signatures_verify_and_changed_ones_do_not),
		cmocka_unit_test(own_signatures_verify),
		cmocka_unit_test(points_off_the_curve_are_refused),
		cmocka_unit_test(ecdh_gives_the_published_secret),
		cmocka_unit_test(gcm_gives_the_published_ciphertexts),
		cmocka_unit_test(scalars_out_of_range_are_refused),
		cmocka_unit_test(a_key_of_ours_signs_for_openssl),
		cmocka_unit_test(keys_of_openssl_load_and_their_signatures_verify),
		cmocka_unit_test(other_keys_are_refused_by_name),
		cmocka_unit_test(files_that_are_no_keys_are_refused),
		cmocka_unit_test(a_missing_key_is_made_once_and_a_broken_one_never_replaced),
		cmocka_unit_test(a_key_id_begins_the_digest_of_the_public_key),
		cmocka_unit_test(random_bytes_differ),
		cmocka_unit_test(no_secret_is_left_behind),
	};

	return cmocka_run_group_tests(tests, init, NULL);
}
